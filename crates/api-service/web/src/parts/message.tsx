// What was said: the user's messages, also those that are still on their way, and the assistant's.

import { useRef } from "preact/hooks";

import { clock } from "../format";
import type { Pending } from "../model/state";
import type { Message } from "../model/types";
import { calm } from "./device";
import { Button, Icon } from "./icon";

/** The longest that the words of an answer take to appear, in milliseconds. */
const LONGEST = 1_400;
/** The usual time between two words. */
const BEAT = 35;

/** A message never changes once it is there. `fresh` is one that has come while the conversation was open. */
export function Said({ message, fresh }: { message: Message; fresh: boolean }) {
  const mine = message.role === "user";
  const time = (
    <time dateTime={message.createdAt} title={new Date(message.createdAt).toLocaleString()}>
      {clock(message.createdAt)}
    </time>
  );
  return (
    <li class={`turn ${mine ? "mine" : "theirs"}`} data-type={message.type}>
      {mine ? (
        <p class="unseen">You, {time}</p>
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
  resend: (pending: Pending) => void;
  edit: (pending: Pending) => void;
}

/** A message of the user's that the server has not confirmed. */
export function Unsent({ pending, resend, edit }: UnsentProps) {
  return (
    <li class="turn mine" data-state={pending.error ? "failed" : "sending"}>
      <p class="unseen">You, now</p>
      <p class="said" dir="auto">{pending.content}</p>
      {pending.error && (
        <div class="unsent">
          <p class="field-error" role="alert">
            Not sent. {pending.error.detail}
          </p>
          <div class="buttons end">
            <Button look="small" icon="pencil" onClick={() => edit(pending)}>
              Edit
            </Button>
            <Button look="small" icon="retry" onClick={() => resend(pending)}>
              Try again
            </Button>
          </div>
        </div>
      )}
    </li>
  );
}
