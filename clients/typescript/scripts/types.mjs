// What `npm run generate` writes, of a given OpenAPI document. The test that nothing is stale asks here as well.

import openapiTypescript, { astToString, COMMENT_HEADER } from "openapi-typescript";

/** The document as it is committed. */
export function documentText(document) {
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** The types of the document. */
export async function typesOf(document) {
  const types = await openapiTypescript(structuredClone(document), {
    // A map without further words is one of anything, not an empty one.
    emptyObjectsUnknown: true,
    // What has a default may be left out by whoever asks.
    defaultNonNullable: false,
  });
  return `${COMMENT_HEADER}${astToString(types)}`;
}
