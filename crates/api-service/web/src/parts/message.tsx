// What was said: the user's messages, also those that are still on their way, and the assistant's.

import type { RefObject } from "preact";
import { useRef } from "preact/hooks";

import * as actions from "../actions";
import { clock, fully } from "../format";
import { detailOf } from "../model/failure";
import { pictureOf } from "../model/pictures";
import type { Pending } from "../model/state";
import type { Message } from "../model/types";
import { phrases } from "../words";
import type { ComposerHandle } from "./composer";
import { CopyRequestId } from "./copy";
import { calm, touch } from "./device";
import { ask } from "./dialog";
import { Button, Icon } from "./icon";
import { Pictures } from "./pairs";

/** The longest that the words of an answer take to appear, in milliseconds. */
const LONGEST = 1_400;
/** The usual time between two words. */
const BEAT = 35;

/** A message never changes once it is there. `fresh` is one that has come while the conversation was open. */
export function Said({ message, fresh }: { message: Message; fresh: boolean }) {
  const mine = message.role === "user";
  const time = (
    <time dateTime={message.createdAt} title={fully(message.createdAt)}>
      {clock(message.createdAt)}
    </time>
  );
  return (
    <li class={`turn ${mine ? "mine" : "theirs"}`} data-type={message.type}>
      {mine ? (
        <p class="unseen">{phrases().chat.you}, {time}</p>
      ) : (
        <p class="who">
          <Icon name="reel" />
          <span>Reelay</span>
          {time}
        </p>
      )}
      {mine ? <p class="said" dir="auto">{message.content}</p> : <Words text={message.content} fresh={fresh} />}
    </li>
  );
}

/** An answer that appears word by word. It has its full size from the start, so nothing moves. */
function Words({ text, fresh }: { text: string; fresh: boolean }) {
  // What began to appear goes on so, whatever is drawn anew in the meantime.
  const appearing = useRef(fresh && !calm());
  if (!appearing.current) return <p class="said" dir="auto">{text}</p>;
  const words = text.split(/(?<=\s)(?=\S)/);
  const beat = Math.min(BEAT, LONGEST / words.length);
  return (
    <p class="said appearing" dir="auto">
      {words.map((word, index) => (
        <span key={index} style={{ "--after": `${Math.round(index * beat)}ms` }}>
          {word}
        </span>
      ))}
    </p>
  );
}

interface UnsentProps {
  pending: Pending;
  /** Its conversation, or `UNMADE`. */
  to: string;
  /** Where it was written. */
  composer: RefObject<ComposerHandle | null>;
}

/** A message of the user's that the server has not confirmed. */
export function Unsent({ pending, to, composer }: UnsentProps) {
  const { key, content, attachments, error } = pending;
  const { act, chat } = phrases();
  const pictures = attachments.map(pictureOf).map(({ preview, name }) => ({ src: preview ?? "", name }));
  /** The buttons go with what they are for. */
  const goOn = () => {
    if (!touch()) composer.current?.focus();
  };

  function discard() {
    ask({
      title: chat.discardTitle,
      text: chat.discardText,
      yes: chat.discard,
      no: act.keep,
      danger: true,
      async run() {
        await actions.withdraw(to, key);
        // Once the dialog has given the focus back, to a button that is not there any more.
        setTimeout(goOn);
      },
    });
  }

  return (
    <li class="turn mine" data-state={error ? "failed" : "sending"}>
      <p class="unseen">{chat.youNow}</p>
      <p class="said" dir="auto">{content}</p>
      {error && (
        <div class="unsent">
          {/* Not before: what was said shows none, so they would go again at once. */}
          <Pictures pictures={pictures} />
          <p class="field-error" role="alert">
            {chat.notSentFor(detailOf(error))}
          </p>
          <div class="buttons end">
            <CopyRequestId failure={error} />
            <Button look="small" icon="trash" onClick={discard}>
              {chat.discard}
            </Button>
            <Button
              look="small"
              icon="pencil"
              onClick={() => void actions.withdraw(to, key, () => composer.current?.takeBack(pending))}
            >
              {chat.edit}
            </Button>
            <Button
              look="small"
              icon="retry"
              onClick={() => {
                goOn();
                void actions.resend(to, pending);
              }}
            >
              {act.retry}
            </Button>
          </div>
        </div>
      )}
    </li>
  );
}
