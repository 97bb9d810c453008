// Where the user writes. Keeps what is written as a draft until it is sent.

import type { Ref } from "preact";
import { useEffect, useId, useImperativeHandle, useLayoutEffect, useRef, useState } from "preact/hooks";

import { readDraft, writeDraft } from "../drafts";
import type { Pending } from "../model/state";
import type { Attachment } from "../model/types";
import { phrases } from "../words";
import { AttachButton, AttachmentList, useAttachments } from "./attachments";
import { touch } from "./device";
import { Icon } from "./icon";

/** What the server takes of a message, in bytes. */
const LIMIT = 8 * 1024;
/** The code of a key that an input method has taken. */
const COMPOSING = 229;
const encoder = new TextEncoder();

/** What a view can do with its composer. */
export interface ComposerHandle {
  focus: () => void;
  /** Puts words into it, in place of what stands there. */
  fill: (text: string) => void;
  /** Puts a message back that was not sent, before what stands there. */
  takeBack: (message: Pick<Pending, "content" | "attachments">) => void;
}

interface ComposerProps {
  userId: string;
  /** Names the draft. */
  place: string;
  label: string;
  placeholder: string;
  busy: boolean;
  handle?: Ref<ComposerHandle>;
  /** Resolves to whether it was taken; what was written stays until then. */
  onSend: (content: string, attachments: Attachment[]) => boolean | Promise<boolean>;
}

export function Composer({ userId, place, label, placeholder, busy, handle, onSend }: ComposerProps) {
  const id = useId();
  const field = useRef<HTMLTextAreaElement>(null);
  const [text, setText] = useState(() => readDraft(userId, place));
  const attachments = useAttachments(userId, place);
  const [told, setTold] = useState(false);
  const over = encoder.encode(text.trim()).length - LIMIT;
  const ready = text.trim() !== "" && over <= 0 && !busy && !attachments.wrong && !attachments.waiting;
  const { composer } = phrases();
  const underWay = attachments.waiting ? composer.pictureUnderWay : busy ? composer.messageUnderWay : null;
  const about = over > 0 ? composer.tooLong(over) : (attachments.wrong ?? (told && underWay ? underWay : ""));

  function write(next: string) {
    setText(next);
    writeDraft(userId, place, next);
  }

  useImperativeHandle(
    handle ?? { current: null },
    () => ({
      focus: () => field.current?.focus(),
      fill(words) {
        write(words);
        field.current?.focus();
      },
      takeBack(message) {
        write([message.content, field.current?.value ?? ""].filter(Boolean).join("\n"));
        attachments.takeBack(message.attachments);
        field.current?.focus();
      },
    }),
    [place],
  );

  // Where the browser cannot size the field by its content, the page does.
  useLayoutEffect(() => {
    const element = field.current;
    if (!element || CSS.supports("field-sizing", "content")) return;
    element.style.blockSize = "auto";
    element.style.blockSize = `${element.scrollHeight}px`;
  }, [text]);
  // What was on its way is there: the reason to wait is gone.
  useEffect(() => {
    if (!underWay) setTold(false);
  }, [underWay]);

  async function submit(event?: Event) {
    event?.preventDefault();
    setTold(!ready && underWay !== null);
    if (!ready) return;
    const content = text.trim();
    const pictures = attachments.ready();
    // The words may be typed on while they are on their way; only what was sent is taken away.
    if (!(await onSend(content, pictures))) return;
    if (field.current?.value.trim() === content || !field.current) write("");
    attachments.clear();
  }

  function keydown(event: KeyboardEvent) {
    // An Enter that ends the writing of a character is none to send by; Safari tells it by its code alone.
    const composing = event.isComposing || event.keyCode === COMPOSING;
    if (event.key !== "Enter" || event.shiftKey || composing || touch()) return;
    void submit(event);
  }

  function paste(event: ClipboardEvent) {
    const files = [...(event.clipboardData?.files ?? [])].filter(({ type }) => type.startsWith("image/"));
    if (files.length === 0) return;
    event.preventDefault();
    attachments.add(files);
  }

  function drop(event: DragEvent) {
    const files = [...(event.dataTransfer?.files ?? [])];
    if (files.length === 0) return;
    event.preventDefault();
    attachments.add(files);
  }

  return (
    <form class="composer" onSubmit={submit} onDrop={drop} onDragOver={(event) => event.preventDefault()}>
      <div class="composer-box">
        <AttachmentList attachments={attachments} />
        <div class="composer-line">
          <AttachButton attachments={attachments} />
          <textarea
            id={id}
            ref={field}
            rows={1}
            placeholder={placeholder}
            aria-label={label}
            aria-describedby={`${id}-about`}
            dir="auto"
            enterkeyhint={touch() ? "enter" : "send"}
            value={text}
            onInput={(event) => write(event.currentTarget.value)}
            onKeyDown={keydown}
            onPaste={paste}
          />
          <button
            type="submit"
            class="send"
            aria-label={composer.send}
            title={composer.send}
            aria-disabled={ready ? undefined : "true"}
          >
            <Icon name="send" />
          </button>
        </div>
      </div>
      <p class="composer-about" id={`${id}-about`} role="status">
        {about}
      </p>
    </form>
  );
}
