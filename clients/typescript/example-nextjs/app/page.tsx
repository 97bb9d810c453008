"use client";

// Signs in, asks for a video, tells the price, and shows the video being made.

import { createClient, ReelayError, type Generation, type ReelayClient } from "@reelay/client";
import { ReelayProvider, useReelay } from "@reelay/client/react";
import { useEffect, useState, type FormEvent } from "react";

import { Video } from "./video";

export default function Page() {
  // Made in the browser: while the server renders there is no origin to speak to.
  const [client, setClient] = useState<ReelayClient | null>(null);
  const [signedIn, setSignedIn] = useState<boolean | null>(null);

  useEffect(() => {
    const client = createClient({ onUnauthorized: () => setSignedIn(false) });
    setClient(client);
    client.me().then(
      ({ user }) => setSignedIn(Boolean(user)),
      () => setSignedIn(false),
    );
  }, []);

  if (!client || signedIn === null) return <p>One moment…</p>;
  return (
    <ReelayProvider client={client}>
      <h1>A video, please</h1>
      {signedIn ? <Studio /> : <SignIn done={() => setSignedIn(true)} />}
    </ReelayProvider>
  );
}

function SignIn({ done }: { done: () => void }) {
  const client = useReelay();
  const [error, setError] = useState<string | null>(null);

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    try {
      await client.login({ email: String(form.get("email")), password: String(form.get("password")) });
      done();
    } catch (error) {
      setError(wordsOf(error));
    }
  }

  return (
    <form onSubmit={submit}>
      <input name="email" type="email" placeholder="E-mail" autoComplete="username" required />{" "}
      <input name="password" type="password" placeholder="Password" autoComplete="current-password" required />{" "}
      <button>Sign in</button>
      {error && <p role="alert">{error}</p>}
    </form>
  );
}

function Studio() {
  const client = useReelay();
  const [generation, setGeneration] = useState<Generation | null>(null);
  const [error, setError] = useState<string | null>(null);

  async function attempt(action: () => Promise<Generation>) {
    setError(null);
    try {
      setGeneration(await action());
    } catch (error) {
      setError(wordsOf(error));
    }
  }

  function ask(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const prompt = String(new FormData(event.currentTarget).get("prompt"));
    void attempt(() => client.createGeneration({ prompt, parameters: { duration: 4, aspectRatio: "16:9" } }));
  }

  return (
    <>
      <form onSubmit={ask}>
        <input name="prompt" size={40} placeholder="A paper boat crosses a rainy street at dusk" required />{" "}
        <button>What does it cost?</button>
      </form>
      {error && <p role="alert">{error}</p>}
      {generation?.status === "pending_confirmation" && (
        <p>
          {generation.estimatedCost?.amount} {generation.estimatedCost?.currency}.{" "}
          <button onClick={() => void attempt(() => client.confirm(generation.id, generation.estimatedCost))}>
            Make it
          </button>
        </p>
      )}
      {generation && generation.status !== "pending_confirmation" && <Video id={generation.id} />}
    </>
  );
}

function wordsOf(error: unknown): string {
  return error instanceof ReelayError ? error.message : "Something went wrong.";
}
