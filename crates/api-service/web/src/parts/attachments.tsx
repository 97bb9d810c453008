// Pictures beside what is written: chosen, dropped or pasted, uploaded at once, and each with what it is for.

import { useEffect, useRef, useState } from "preact/hooks";

import * as actions from "../actions";
import { models } from "../catalogue";
import { picturesPlace, readThing, writeThing } from "../drafts";
import { bytes } from "../format";
import { detailOf } from "../model/failure";
import { attached, type Picture, pictureOf, takenBack } from "../model/pictures";
import type { Attachment } from "../model/types";
import { modelOf, nextRole, picturesAllowed, type Role, rolesOf, wrongWith } from "../model/variation";
import { failureOf } from "../server";
import { phrases } from "../words";
import { Icon, IconButton } from "./icon";

/** What the server takes of a picture, in bytes. */
const LIMIT = 20 * 1024 * 1024;
/** The same as it is told, a little less. */
const TOLD = 20e6;
const TYPES = ["image/jpeg", "image/png", "image/webp"];
/** The side of a preview in pixels, twice what it is shown at. */
const PREVIEW = 112;

export interface Attachments {
  items: readonly Picture[];
  /** Whether the model takes any. */
  offered: boolean;
  /** Why it cannot be sent like this; `null` if nothing is wrong. */
  wrong: string | null;
  /** Whether one is still on its way. */
  waiting: boolean;
  /** The ones that are there, as a message carries them. */
  ready: () => Attachment[];
  add: (files: Iterable<File>) => void;
  remove: (key: string) => void;
  setRole: (key: string, role: Role) => void;
  /** Puts those of a message back that was not sent. */
  takeBack: (back: readonly Attachment[]) => void;
  clear: () => void;
}

/** The pictures of the draft at `place`. */
export function useAttachments(userId: string, place: string): Attachments {
  const kept = picturesPlace(place);
  const [items, setItems] = useState<readonly Picture[]>(() =>
    (readThing<Attachment[]>(userId, kept) ?? []).map(pictureOf),
  );
  const shown = useRef(items);
  shown.current = items;
  const model = modelOf(models.value);

  function change(next: readonly Picture[]) {
    shown.current = next;
    setItems(next);
    const there = attached(next);
    writeThing(userId, kept, there.length > 0 ? there : null);
  }

  const update = (key: string, part: Partial<Picture>) =>
    change(shown.current.map((one) => (one.key === key ? { ...one, ...part } : one)));

  async function upload(key: string, file: File) {
    void previewOf(file).then((preview) => preview && update(key, { preview }));
    try {
      const { id } = await actions.upload(file);
      update(key, { uploadId: id });
    } catch (error) {
      update(key, { problem: detailOf(failureOf(error)) });
    }
  }

  function add(files: Iterable<File>) {
    if (!model) return;
    for (const file of files) {
      if (shown.current.length >= picturesAllowed(model)) return;
      const role = nextRole(model, attached(shown.current, true));
      const key = crypto.randomUUID?.() ?? String(Math.random());
      const problem = !TYPES.includes(file.type)
        ? phrases().pictures.wrongType
        : file.size > LIMIT
          ? phrases().pictures.tooLarge(bytes(TOLD))
          : null;
      change([...shown.current, { key, name: file.name, role, uploadId: null, preview: null, problem }]);
      if (!problem) void upload(key, file);
    }
  }

  const waiting = items.some(({ uploadId, problem }) => !uploadId && !problem);
  const broken = items.find(({ problem }) => problem)?.problem ?? null;
  const wrong = model && items.length > 0 ? wrongWith(model, attached(items, true)) : null;
  return {
    items,
    offered: model ? picturesAllowed(model) > 0 : models.value.length === 0,
    wrong: broken ?? wrong,
    waiting,
    ready: () => attached(shown.current),
    add,
    remove: (key) => change(shown.current.filter((one) => one.key !== key)),
    setRole: (key, role) => update(key, { role }),
    takeBack: (back) => change(takenBack(shown.current, back)),
    clear: () => change([]),
  };
}

/** A small copy as a `data:` address, which the policy allows for pictures, unlike `blob:`. */
async function previewOf(file: File): Promise<string | null> {
  try {
    const bitmap = await createImageBitmap(file);
    const canvas = document.createElement("canvas");
    canvas.width = PREVIEW;
    canvas.height = PREVIEW;
    const side = Math.min(bitmap.width, bitmap.height);
    canvas
      .getContext("2d")
      ?.drawImage(bitmap, (bitmap.width - side) / 2, (bitmap.height - side) / 2, side, side, 0, 0, PREVIEW, PREVIEW);
    bitmap.close();
    return canvas.toDataURL("image/jpeg", 0.8);
  } catch {
    return null;
  }
}

/** The pictures that are there, each with its role and a way to take it off. */
export function AttachmentList({ attachments }: { attachments: Attachments }) {
  const model = modelOf(models.value);
  const roles = model ? rolesOf(model) : [];
  const { pictures } = phrases();
  if (attachments.items.length === 0) return null;
  return (
    <ul class="attachments" aria-label={pictures.title}>
      {attachments.items.map(({ key, name, role, preview, uploadId, problem }) => (
        <li key={key} data-state={problem ? "failed" : uploadId ? "ready" : "loading"}>
          {preview ? <img src={preview} alt="" width={56} height={56} /> : <span class="blank" />}
          <select
            aria-label={pictures.purposeOf(name)}
            value={role}
            onChange={(event) => attachments.setRole(key, event.currentTarget.value as Role)}
          >
            {roles.map((one) => (
              <option key={one} value={one}>
                {pictures.roles[one]}
              </option>
            ))}
          </select>
          <IconButton icon="close" label={pictures.remove(name)} onClick={() => attachments.remove(key)} />
        </li>
      ))}
    </ul>
  );
}

/** The button that opens the system's choice of files. */
export function AttachButton({ attachments }: { attachments: Attachments }) {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => void actions.loadModels(), []);
  const { pictures } = phrases();
  if (!attachments.offered) return null;
  return (
    <label class="attach" title={pictures.add}>
      <input
        ref={input}
        type="file"
        accept={TYPES.join(",")}
        multiple
        aria-label={pictures.add}
        onChange={(event) => {
          attachments.add([...(event.currentTarget.files ?? [])]);
          event.currentTarget.value = "";
        }}
      />
      <Icon name="clip" />
    </label>
  );
}
