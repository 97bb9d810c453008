// What was spent, what is held for videos in the making, and what is left.

import { useEffect, useRef, useState } from "preact/hooks";

import * as actions from "../actions";
import { models } from "../catalogue";
import { moment, money, number, percent } from "../format";
import { detailOf } from "../model/failure";
import { shareOf } from "../model/usage";
import type { Failure, Period, Usage } from "../model/types";
import { useArrival } from "../parts/arrival";
import { CopyRequestId } from "../parts/copy";
import { Button } from "../parts/icon";
import { Topbar } from "../parts/topbar";
import { failureOf } from "../server";
import { phrases } from "../words";

export function UsagePage() {
  const { act, places, usage: words } = phrases();
  const heading = useRef<HTMLHeadingElement>(null);
  const [usage, setUsage] = useState<Usage | null>(null);
  const [failure, setFailure] = useState<Failure | null>(null);
  const [tried, setTried] = useState(0);
  useArrival((first) => !first && heading.current?.focus());

  useEffect(() => {
    setFailure(null);
    actions.loadUsage().then(setUsage, (error: unknown) => setFailure(failureOf(error)));
    void actions.loadModels();
  }, [tried]);

  return (
    <div class="view scrolls">
      <Topbar title={places.usage} heading={heading} />
      <div class="sheet" aria-busy={!usage && !failure ? "true" : undefined}>
        {failure && (
          <div class="empty" role="alert">
            <p>{detailOf(failure)}</p>
            <Button icon="retry" onClick={() => setTried(tried + 1)}>
              {act.retry}
            </Button>
            <CopyRequestId failure={failure} />
          </div>
        )}
        {!failure && (
          <div class="periods">
            <PeriodCard title={words.today} period={usage?.day ?? null} />
            <PeriodCard title={words.month} period={usage?.month ?? null} />
          </div>
        )}
        {usage && <Counts usage={usage} />}
        {usage && <ByModel usage={usage} />}
      </div>
    </div>
  );
}

/** One period. It has its size before its numbers are there. */
function PeriodCard({ title, period }: { title: string; period: Period | null }) {
  if (!period) {
    return (
      <section class="period blank" aria-hidden="true">
        <h2>{title}</h2>
      </section>
    );
  }
  const { spent, held, budget, left, videos, videosAllowed, until } = period;
  const { usage, places } = phrases();
  const share = shareOf(period);
  const limited = Boolean(budget) || typeof videosAllowed === "number";
  return (
    <section class="period" aria-label={title}>
      <h2>{title}</h2>
      <p class="price">{money(spent)}</p>
      <p class="muted">
        {budget ? usage.spentOf(money(budget)) : usage.spent}
      </p>
      {share && (
        <div
          class="share"
          role="img"
          aria-label={usage.share(percent(share.spent * 100), percent(share.held * 100))}
          style={{ "--spent": String(share.spent), "--held": String(share.held) }}
        />
      )}
      <dl class="details">
        <div>
          <dt>{usage.held}</dt>
          <dd>{money(held)}</dd>
        </div>
        {left && (
          <div>
            <dt>{usage.left}</dt>
            <dd>{money(left)}</dd>
          </div>
        )}
        <div>
          <dt>{places.videos}</dt>
          <dd>
            {typeof videosAllowed === "number" ? usage.of(number(videos), number(videosAllowed)) : number(videos)}
          </dd>
        </div>
      </dl>
      {limited && <p class="muted">{usage.anew(moment(until, new Date()))}</p>}
    </section>
  );
}

function Counts({ usage: { open, queued } }: { usage: Usage }) {
  const { usage } = phrases();
  return (
    <section class="panel">
      <h2>{usage.now}</h2>
      <dl class="details">
        <div>
          <dt>{usage.open}</dt>
          <dd>{usage.of(number(open.count), number(open.allowed))}</dd>
        </div>
        <div>
          <dt>{usage.queued}</dt>
          <dd>{usage.of(number(queued.count), number(queued.allowed))}</dd>
        </div>
      </dl>
    </section>
  );
}

function ByModel({ usage }: { usage: Usage }) {
  const nameOf = (name: string) => models.value.find(({ model }) => model === name)?.name ?? name;
  const { usage: words, places } = phrases();
  if (usage.models.length === 0) return null;
  return (
    <section class="panel">
      <h2 id="by-model">{words.byModel}</h2>
      <table aria-labelledby="by-model">
        <thead>
          <tr>
            <th scope="col">{words.model}</th>
            <th scope="col">{places.videos}</th>
            <th scope="col">{words.cost}</th>
          </tr>
        </thead>
        <tbody>
          {usage.models.map(({ provider, model, videos, spent }) => (
            <tr key={`${provider} ${model}`}>
              <th scope="row">{nameOf(model)}</th>
              <td>{number(videos)}</td>
              <td>{money(spent)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
