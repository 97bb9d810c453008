// What can be asked of a model: lengths, shapes and resolutions that go together, what they cost, and which
// pictures it takes. Pure; the server has the last word, and its price is the one that counts.

import { phrases } from "../words";
import type { ImageInput, ImageRole, Money, OfferedModel, Parameters } from "./types";

/** What a variation is made with. */
export interface Wish {
  provider: string;
  model: string;
  duration: number;
  aspectRatio: string;
  resolution: string;
}

/** The model of that name, or the default one, or the first. */
export function modelOf(models: readonly OfferedModel[], name?: string | null): OfferedModel | undefined {
  return models.find(({ model }) => model === name) ?? models.find((one) => one.default) ?? models[0];
}

/** What a picture is for, as far as it matters which others it goes with. */
type Roled = Pick<ImageInput, "role">;

/** The wish as near to `wanted` as the model allows, made from `pictures`: what it does not know becomes its default. */
export function fit(model: OfferedModel, wanted: Partial<Wish>, pictures: readonly Roled[] = []): Wish {
  const { defaults, resolutions } = model;
  const resolution =
    resolutions.find(({ name }) => name === wanted.resolution) ??
    resolutions.find(({ name }) => name === defaults.resolution) ??
    resolutions[0];
  const durations = durationsOf(model, resolution?.name ?? "", pictures);
  const duration = nearest(durations, wanted.duration ?? defaults.duration) ?? defaults.duration;
  const shape = wanted.aspectRatio ?? "";
  return {
    provider: model.provider,
    model: model.model,
    duration,
    aspectRatio: model.aspectRatios.includes(shape) ? shape : defaults.aspectRatio,
    resolution: resolution?.name ?? defaults.resolution,
  };
}

/** The lengths that the wished resolution comes in, made from these pictures. */
export function durationsOf(
  model: OfferedModel,
  resolution: string,
  pictures: readonly Roled[] = [],
): readonly number[] {
  const all = model.resolutions.find(({ name }) => name === resolution)?.durations ?? model.durations;
  const { referenceDurations } = model.images;
  const shown = pictures.some((one) => roleOf(one) === "reference");
  return shown && referenceDurations ? all.filter((length) => referenceDurations.includes(length)) : all;
}

function nearest(values: readonly number[], wanted: number): number | undefined {
  return values.toSorted((a, b) => Math.abs(a - wanted) - Math.abs(b - wanted))[0];
}

/** About what it will cost, from the catalogue; counted in ten-thousandths so that no cent is lost. */
export function priceOf(model: OfferedModel, { resolution, duration }: Wish): Money | null {
  const price = model.resolutions.find(({ name }) => name === resolution)?.pricePerSecond;
  if (!price) return null;
  const parts = Math.round(Number(price.amount) * 10_000) * duration;
  return { amount: (parts / 10_000).toFixed(2), currency: price.currency };
}

/**
 * The parameters of a variation: what was wished, the pictures that it is made from, and what the one before had beside
 * that and the model takes.
 */
export function parametersOf(
  model: OfferedModel,
  wish: Wish,
  before: Parameters,
  pictures: readonly ImageInput[],
): Parameters {
  const { style, negativePrompt, audio } = before;
  return {
    duration: wish.duration,
    aspectRatio: wish.aspectRatio,
    resolution: wish.resolution,
    ...(style ? { style } : {}),
    ...(negativePrompt && model.negativePrompt ? { negativePrompt } : {}),
    // A seed makes a model repeat itself, which is the one thing that a variation must not do.
    ...(typeof audio === "boolean" && model.audio === "optional" ? { audio } : {}),
    ...(pictures.length > 0 ? { images: [...pictures] } : {}),
  };
}

export type Role = ImageRole;

/** What a picture is for; where nothing is said, the video begins with it. */
export const roleOf = ({ role }: Roled): Role => role ?? "first_frame";

/** The roles that the model knows at all. */
export function rolesOf(model: OfferedModel): Role[] {
  const { firstFrame, lastFrame, references } = model.images;
  const roles: Role[] = [];
  if (firstFrame) roles.push("first_frame");
  if (lastFrame) roles.push("last_frame");
  if ((references ?? 0) > 0) roles.push("reference");
  return roles;
}

/** How many pictures fit beside one message. */
export function picturesAllowed(model: OfferedModel): number {
  const { firstFrame, lastFrame, references = 0, referencesWithFrames } = model.images;
  const frames = Number(firstFrame ?? false) + Number(lastFrame ?? false);
  return referencesWithFrames ? frames + references : Math.max(frames, references);
}

/** What the next picture is most likely for. */
export function nextRole(model: OfferedModel, there: readonly Roled[]): Role {
  const roles = rolesOf(model);
  const taken = new Set(there.map(roleOf));
  if (taken.has("reference") && roles.includes("reference")) return "reference";
  return roles.find((role) => role === "reference" || !taken.has(role)) ?? "reference";
}

/** What is wrong with these pictures together, for a person; `null` if nothing is. */
export function wrongWith(model: OfferedModel, there: readonly Roled[]): string | null {
  const count = (role: Role) => there.filter((one) => roleOf(one) === role).length;
  const { references = 0, referencesWithFrames } = model.images;
  const { pictures } = phrases();
  const frames = count("first_frame") + count("last_frame");
  if (count("first_frame") > 1) return pictures.oneBegins;
  if (count("last_frame") > 1) return pictures.oneEnds;
  if (count("last_frame") > 0 && count("first_frame") === 0) return pictures.endNeedsBegin;
  if (count("reference") > references) {
    return references > 0 ? pictures.takesSome(model.name, references) : pictures.takesNone(model.name);
  }
  if (frames > 0 && count("reference") > 0 && !referencesWithFrames) return pictures.notBoth(model.name);
  return null;
}

/** Those of the pictures that the model takes together; the ones to begin and to end with go first. */
export function takenOf(model: OfferedModel, pictures: readonly ImageInput[]): ImageInput[] {
  const known = rolesOf(model);
  const place = (picture: ImageInput) => known.indexOf(roleOf(picture));
  return pictures
    .filter((picture) => place(picture) >= 0)
    .toSorted((a, b) => place(a) - place(b))
    .reduce<ImageInput[]>((taken, picture) => {
      const more = [...taken, picture];
      return wrongWith(model, more) === null ? more : taken;
    }, []);
}

/** That the model does not take `left` of `all` pictures, for a person; `null` if it takes them. */
export function leftOutOf({ name }: Pick<OfferedModel, "name">, left: number, all: number): string | null {
  if (left === 0) return null;
  const { pictures } = phrases();
  if (left < all) return pictures.someLeftOut(name, left);
  return all === 1 ? pictures.oneLeftOut(name) : pictures.allLeftOut(name);
}
