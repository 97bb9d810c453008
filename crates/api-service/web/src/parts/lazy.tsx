// A view that is fetched when it is first wanted.

import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";

import { phrases } from "../words";
import { Button } from "./icon";
import { Topbar } from "./topbar";

type Load = () => Promise<ComponentType>;

const fetched = new Map<Load, ComponentType>();

/** Shows the bar at once, so that nothing moves when the rest is there. */
export function Lazy({ load, title }: { load: Load; title: string }) {
  const [there, setThere] = useState(fetched.has(load));
  const [failed, setFailed] = useState(false);

  useEffect(() => {
    if (there || failed) return;
    let wanted = true;
    load().then(
      (view) => {
        fetched.set(load, view);
        if (wanted) setThere(true);
      },
      () => wanted && setFailed(true),
    );
    return () => {
      wanted = false;
    };
  }, [load, failed]);

  const View = fetched.get(load);
  const { act, app } = phrases();
  if (there && View) return <View />;
  return (
    <div class="view">
      <Topbar title={title} />
      {failed && (
        <div class="empty" role="alert">
          <p>{app.partMissing}</p>
          {/* A newer version may be served by now, whose parts have other names: start anew. */}
          <Button icon="retry" onClick={() => location.reload()}>
            {act.retry}
          </Button>
        </div>
      )}
    </div>
  );
}
