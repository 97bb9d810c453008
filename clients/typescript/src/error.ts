// What goes wrong, in one type: an error answer of the service, or no answer at all.

import type { components } from "./schema.js";

/** An error answer as it stands on the wire (RFC 9457). */
export type Problem = components["schemas"]["Problem"];
export type FieldError = components["schemas"]["FieldError"];

/** The codes of errors that no server sent. */
export type LocalCode = "unreachable" | "timeout" | "unreadable";

export class ReelayError extends Error {
  override readonly name = "ReelayError";
  /** The HTTP status; 0 if there was no answer. */
  readonly status: number;
  /** Stable, snake_case, for programs: the service's, or a `LocalCode`. */
  readonly code: string;
  /** What is wrong, field by field, where the code is `validation_failed`. */
  readonly errors: readonly FieldError[];
  /** What the service's log knows the request by. */
  readonly requestId: string | null;
  /** Seconds after which it is worth trying again, where the service says so. */
  readonly retryAfter: number | null;
  /** Of `invalid_state`: the status that the generation has. */
  readonly currentStatus: Problem["currentStatus"] | null;
  /** Of limits that are counted by the calendar: when it goes again. */
  readonly resetsAt: string | null;
  /** The whole answer, for what a code adds of its own; `null` if there was none. */
  readonly problem: Problem | null;

  constructor(what: {
    status: number;
    code: string;
    detail: string;
    problem?: Problem | null;
    requestId?: string | null;
    retryAfter?: number | null;
    cause?: unknown;
  }) {
    super(what.detail, what.cause === undefined ? undefined : { cause: what.cause });
    this.status = what.status;
    this.code = what.code;
    this.problem = what.problem ?? null;
    this.errors = this.problem?.errors ?? [];
    this.requestId = this.problem?.requestId ?? what.requestId ?? null;
    this.retryAfter = what.retryAfter ?? null;
    this.currentStatus = this.problem?.currentStatus ?? null;
    this.resetsAt = this.problem?.resetsAt ?? null;
  }

  /** The first message about a field, as a form needs it. */
  field(name: string): string | undefined {
    return this.errors.find(({ field }) => field === name)?.message;
  }

  /** Whether the same request may go through later, with nothing changed. */
  get transient(): boolean {
    return [0, 408, 425, 429, 500, 502, 503, 504].includes(this.status);
  }
}

/** Reads an error answer. What is no problem document (a proxy's page) becomes an error all the same. */
export async function errorOf(response: Response): Promise<ReelayError> {
  const body: unknown = await response.json().catch(() => null);
  const problem = isProblem(body) ? body : null;
  return new ReelayError({
    status: response.status,
    code: problem?.code ?? "unknown",
    detail: problem?.detail ?? problem?.title ?? `The service answered ${response.status}.`,
    problem,
    requestId: response.headers.get("x-request-id"),
    retryAfter: secondsOf(response.headers.get("retry-after")),
  });
}

function isProblem(body: unknown): body is Problem {
  return typeof body === "object" && body !== null && typeof (body as Problem).code === "string";
}

/** `Retry-After` is seconds or a date. */
function secondsOf(text: string | null): number | null {
  if (text === null) return null;
  const seconds = /^\d+$/.test(text.trim()) ? Number(text) : (Date.parse(text) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, Math.ceil(seconds)) : null;
}
