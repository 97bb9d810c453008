// The questions that stand before the price, as controls that already hold what is usual.

import { useEffect, useId, useRef, useState } from "preact/hooks";

import * as actions from "../actions";
import { answersPlace, readThing, writeThing } from "../drafts";
import { type Answers, answersOf, type KeptAnswers, keptOf } from "../model/answers";
import type { Deed } from "../model/state";
import type { AnswerValue, ClarificationQuestion, Generation } from "../model/types";
import { Choices, isScale, type Option, Scale } from "../parts/choices";
import { Problem } from "../parts/field";
import { Button } from "../parts/icon";
import { state } from "../store";
import { phrases } from "../words";

function yesOrNo(): readonly Option[] {
  const { facts } = phrases();
  return [
    { value: true, label: facts.yes },
    { value: false, label: facts.no },
  ];
}

interface QuestionsProps {
  generation: Generation;
  deed: Deed | undefined;
}

export function Questions({ generation, deed }: QuestionsProps) {
  const { act, app } = phrases();
  const questions = generation.clarificationQuestions ?? [];
  const user = state.value.session.user?.id ?? "";
  const place = answersPlace(generation.id);
  const [answers, setAnswers] = useState(() => answersOf(questions, readThing<KeptAnswers>(user, place)));
  const latest = useRef<Answers>(answers);
  const [missing, setMissing] = useState<readonly string[]>([]);
  const form = useRef<HTMLFormElement>(null);
  const failure = deed?.name === "clarify" && !deed.busy ? deed.error : null;
  const problemOf = ({ id }: ClarificationQuestion) =>
    missing.includes(id) ? phrases().questions.needsAnswer : (failure?.fields[`responses.${id}`] ?? null);

  // What is wrong is where the keyboard goes on.
  useEffect(() => {
    form.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
  }, [missing, failure]);

  function answer(id: string, value: AnswerValue | undefined) {
    latest.current = { ...latest.current, [id]: value };
    setAnswers(latest.current);
    writeThing(user, place, keptOf(questions, latest.current));
  }

  function submit(event: Event) {
    event.preventDefault();
    if (deed?.busy) return;
    const open = questions.filter(({ id, required }) => required && isBlank(answers[id])).map(({ id }) => id);
    setMissing(open);
    if (open.length > 0) return;
    const given = Object.entries(answers).filter(([, value]) => !isBlank(value));
    void actions.clarify(generation, Object.fromEntries(given) as Record<string, AnswerValue>);
  }

  return (
    <form class="questions" noValidate onSubmit={submit} ref={form}>
      {questions.map((question) => (
        <Question
          key={question.id}
          question={question}
          value={answers[question.id]}
          problem={problemOf(question)}
          onChange={(value) => answer(question.id, value)}
        />
      ))}
      <div class="buttons">
        <Button type="submit" look="primary" busy={deed?.busy}>
          {deed?.busy && deed.name === "clarify" ? app.moment : act.continue}
        </Button>
        <Button busy={deed?.busy} onClick={() => void actions.cancel(generation)}>
          {act.cancel}
        </Button>
      </div>
    </form>
  );
}

const isBlank = (value: AnswerValue | undefined) =>
  value === undefined || (typeof value === "string" && !value.trim());

interface QuestionProps {
  question: ClarificationQuestion;
  value: AnswerValue | undefined;
  problem: string | null;
  onChange: (value: AnswerValue | undefined) => void;
}

/** One question, as the control that suits its kind. */
function Question({ question, value, problem, onChange }: QuestionProps) {
  const id = useId();
  const about = `${id}-about`;
  const options = question.kind === "boolean" ? yesOrNo() : (question.options ?? []);
  const told = problem ? <Problem id={about} text={problem} /> : null;
  const described = { "aria-invalid": problem ? true : undefined, "aria-describedby": problem ? about : undefined };

  if ((question.kind === "choice" || question.kind === "boolean") && options.length > 0) {
    if (isScale(options)) {
      return (
        <div class="field">
          <label class="label" for={id}>
            {question.question}
          </label>
          <Scale id={id} options={options} value={value} onChange={onChange} />
          {told}
        </div>
      );
    }
    return (
      <fieldset class="field" aria-describedby={described["aria-describedby"]}>
        <legend class="label">{question.question}</legend>
        <Choices options={options} value={value} onChange={onChange} name={id} invalid={problem !== null} />
        {told}
      </fieldset>
    );
  }
  return (
    <div class="field">
      <label class="label" for={id}>
        {question.question}
      </label>
      {question.kind === "number" ? (
        <input
          {...described}
          id={id}
          class="input narrow"
          type="number"
          inputMode="numeric"
          step={1}
          value={typeof value === "number" ? value : ""}
          onInput={({ currentTarget: { value: text, valueAsNumber } }) =>
            onChange(text === "" ? undefined : valueAsNumber)
          }
        />
      ) : (
        <textarea
          {...described}
          id={id}
          class="input"
          rows={2}
          value={String(value ?? "")}
          onInput={(event) => onChange(event.currentTarget.value)}
        />
      )}
      {told}
    </div>
  );
}
