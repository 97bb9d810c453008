// The page's points of the log catalogue, for whoever has the console open at debug level.

/** `log("Polling started", {generationId, status})`. Prompts and messages are the user's own: never log them. */
export function log(action: string, fields: Record<string, unknown>): void {
  console.debug(`[PAGE] ${action}`, fields);
}
