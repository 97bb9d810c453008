// The little of jsdom that the tests use; its own types would be one dependency more.

declare module "jsdom" {
  export class JSDOM {
    constructor(html: string, options?: { url?: string });
    readonly window: Window & typeof globalThis;
  }
}
