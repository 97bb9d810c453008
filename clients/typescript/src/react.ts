// The client as React hooks.

import { createContext, createElement, useContext, useEffect, useState, type ReactNode } from "react";

import type { ReelayClient } from "./client.js";
import { isTerminal, type Generation, type GenerationStatus } from "./generation.js";
import type { ConnectionState } from "./push/channel.js";

const Client = createContext<ReelayClient | null>(null);

/** Hands a client to the hooks below it. */
export function ReelayProvider({ client, children }: { client: ReelayClient; children?: ReactNode }) {
  return createElement(Client.Provider, { value: client }, children);
}

/** The client of the `ReelayProvider` above. */
export function useReelay(): ReelayClient {
  const client = useContext(Client);
  if (!client) throw new Error("There is no ReelayProvider above this component.");
  return client;
}

export interface GenerationView {
  /** `null` until it was read. */
  generation: Generation | null;
  status: GenerationStatus | null;
  /** 0 to 100. */
  progress: number;
  /** Whether nothing more will come. */
  terminal: boolean;
  /** Why it cannot be followed. What fails for a while is no error: news come later. */
  error: unknown;
  /** How news come; `null` when none are waited for. */
  connection: ConnectionState | null;
}

interface Known {
  of: string | null;
  generation: Generation | null;
  error: unknown;
  connection: ConnectionState | null;
}

const nothing: Known = { of: null, generation: null, error: null, connection: null };

/**
 * How a generation stands, kept up to date: read at once, asked for every 5 s, pushed as soon as a connection stands,
 * and left alone once it is terminal. `null` follows nothing. The client comes from `options` or from the
 * `ReelayProvider` above, and must be the same object each time.
 */
export function useGenerationStatus(
  id: string | null | undefined,
  options: { client?: ReelayClient | undefined } = {},
): GenerationView {
  const provided = useContext(Client);
  const client = options.client ?? provided;
  if (!client) throw new Error("useGenerationStatus needs a client, or a ReelayProvider above.");
  const [known, setKnown] = useState<Known>(nothing);

  useEffect(() => {
    if (!id) return;
    const change = (part: Partial<Known>) =>
      setKnown((before) => ({ ...(before.of === id ? before : { ...nothing, of: id }), ...part }));
    change({ error: null });
    const follower = client.followGeneration(id, {
      generation: (generation) => change({ generation }),
      connection: (connection) => change({ connection }),
      ended: () => change({ connection: null }),
      failed: (error) => change({ error, connection: null }),
    });
    return () => follower.stop();
  }, [client, id]);

  // Of another generation nothing is shown, not even for one frame.
  const { generation, error, connection } = known.of === (id ?? null) ? known : nothing;
  const status = generation?.status ?? null;
  return {
    generation,
    status,
    progress: status === "completed" ? 100 : (generation?.progress ?? 0),
    terminal: status !== null && isTerminal(status),
    error,
    connection,
  };
}
