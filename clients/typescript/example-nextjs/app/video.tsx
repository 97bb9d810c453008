"use client";

import { useReelay, useGenerationStatus } from "@reelay/client/react";

/** A generation: how far it is, and in the end the video. */
export function Video({ id }: { id: string }) {
  const client = useReelay();
  const { generation, status, progress, error, connection } = useGenerationStatus(id);

  if (error) return <p role="alert">It cannot be shown.</p>;
  if (status === "completed") {
    // An address of ours that leads to a fresh link each time, so that it never dies.
    return <video src={client.videoUrl(id)} poster={client.posterUrl(id)} controls style={{ width: "100%" }} />;
  }
  if (status === "failed" || status === "cancelled") return <p>{generation?.errorMessage ?? "It was called off."}</p>;
  return (
    <p>
      <progress value={progress} max={100} /> {generation?.stage ?? status ?? "…"}{" "}
      <small title="How news come">{connection}</small>
    </p>
  );
}
