// Pictures beside what is being written, from the choice of a file to the message that carries them. Pure.

import type { Attachment, ImageRole } from "./types";

export interface Picture {
  key: string;
  name: string;
  role: ImageRole;
  /** `null` until the server has it. */
  uploadId: string | null;
  preview: string | null;
  problem: string | null;
}

/** Where the server has it. */
export const pictureUrl = (uploadId: string) => `/api/uploads/${uploadId}`;

/** A picture that the server has. Its small copy is shown without a network as well. */
export const pictureOf = ({ uploadId, role, name, preview }: Attachment): Picture => ({
  key: uploadId,
  name,
  role,
  uploadId,
  preview: preview ?? pictureUrl(uploadId),
  problem: null,
});

/** As a message carries them; with `all` also those that are still on their way. */
export function attached(items: readonly Picture[], all = false): Attachment[] {
  return items.flatMap(({ uploadId, role, name, preview }) => {
    if (!uploadId && !all) return [];
    const copy = preview?.startsWith("data:") ? { preview } : {};
    return [{ uploadId: uploadId ?? "", role, name, ...copy }];
  });
}

/** With those of a message that is taken back: before what is there, like its words, and none of them twice. */
export function takenBack(items: readonly Picture[], back: readonly Attachment[]): Picture[] {
  const known = new Set(back.map(({ uploadId }) => uploadId));
  return [...back.map(pictureOf), ...items.filter(({ uploadId }) => !uploadId || !known.has(uploadId))];
}
