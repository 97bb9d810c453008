// What was spent, what is held for videos in the making, and what is left.

import { useEffect, useRef, useState } from "preact/hooks";

import * as actions from "../actions";
import { models } from "../catalogue";
import { moment, money } from "../format";
import { shareOf } from "../model/usage";
import type { Failure, Period, Usage } from "../model/types";
import { useArrival } from "../parts/arrival";
import { CopyRequestId } from "../parts/copy";
import { Button } from "../parts/icon";
import { Topbar } from "../parts/topbar";
import { failureOf } from "../server";

export function UsagePage() {
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
      <Topbar title="Usage" heading={heading} />
      <div class="sheet" aria-busy={!usage && !failure ? "true" : undefined}>
        {failure && (
          <div class="empty" role="alert">
            <p>{failure.detail}</p>
            <Button icon="retry" onClick={() => setTried(tried + 1)}>
              Try again
            </Button>
            <CopyRequestId failure={failure} />
          </div>
        )}
        {!failure && (
          <div class="periods">
            <PeriodCard title="Today" period={usage?.day ?? null} />
            <PeriodCard title="This month" period={usage?.month ?? null} />
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
  const share = shareOf(period);
  const limited = Boolean(budget) || typeof videosAllowed === "number";
  return (
    <section class="period" aria-label={title}>
      <h2>{title}</h2>
      <p class="price">{money(spent)}</p>
      <p class="muted">
        {budget ? `spent of ${money(budget)}` : "spent, without a limit"}
      </p>
      {share && (
        <div
          class="share"
          role="img"
          aria-label={`${Math.round(share.spent * 100)} % spent, ${Math.round(share.held * 100)} % held`}
          style={{ "--spent": String(share.spent), "--held": String(share.held) }}
        />
      )}
      <dl class="details">
        <div>
          <dt>Held for videos in the making</dt>
          <dd>{money(held)}</dd>
        </div>
        {left && (
          <div>
            <dt>Left</dt>
            <dd>{money(left)}</dd>
          </div>
        )}
        <div>
          <dt>Videos</dt>
          <dd>{typeof videosAllowed === "number" ? `${videos} of ${videosAllowed}` : videos}</dd>
        </div>
      </dl>
      {limited && <p class="muted">It begins anew {moment(until, new Date())}.</p>}
    </section>
  );
}

function Counts({ usage: { open, queued } }: { usage: Usage }) {
  return (
    <section class="panel">
      <h2>Just now</h2>
      <dl class="details">
        <div>
          <dt>Not finished</dt>
          <dd>
            {open.count} of {open.allowed}
          </dd>
        </div>
        <div>
          <dt>Of these being made</dt>
          <dd>
            {queued.count} of {queued.allowed}
          </dd>
        </div>
      </dl>
    </section>
  );
}

function ByModel({ usage }: { usage: Usage }) {
  const nameOf = (name: string) => models.value.find(({ model }) => model === name)?.name ?? name;
  if (usage.models.length === 0) return null;
  return (
    <section class="panel">
      <h2 id="by-model">This month by model</h2>
      <table aria-labelledby="by-model">
        <thead>
          <tr>
            <th scope="col">Model</th>
            <th scope="col">Videos</th>
            <th scope="col">Cost</th>
          </tr>
        </thead>
        <tbody>
          {usage.models.map(({ provider, model, videos, spent }) => (
            <tr key={`${provider} ${model}`}>
              <th scope="row">{nameOf(model)}</th>
              <td>{videos}</td>
              <td>{money(spent)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
