import * as v from 'valibot';
import { parseJson } from '../../../functions/vss/parse-json.ts';
import { age } from '../../terminal/age.ts';
import { inOneLine, printable } from '../../terminal/printable.ts';
import type { DeadLetter } from './dead-letter-queue.ts';
import { masked } from './masked.ts';
import { prettyJson } from './pretty-json.ts';

/** All letters by reason, the most frequent first. */
export function lettersByReason(letters: readonly DeadLetter[]): string {
  const groups = Object.entries(Object.groupBy(letters, ({ reason }) => reason)).map(
    ([reason, group = []]) => [reason, group] as const,
  );
  return groups
    .toSorted(([, a], [, b]) => b.length - a.length)
    .map(([reason, group]) =>
      [`${reason}: ${group.length}`, ...group.map((letter) => `  ${letterLine(letter)}`)].join('\n'),
    )
    .join('\n\n');
}

/** A letter in one line: its id, how old it is, and which session it is about. */
export function letterLine({ messageId, delivery }: DeadLetter): string {
  return `${messageId}  ${age(Date.parse(delivery.receivedAt)).padStart(4)}  ${sessionOf(delivery.body)}`;
}

/** A letter and all that is known of it. JSON gets line breaks; what is not UTF-8 is shown as Latin-1. */
export function letterInFull(
  { messageId, reason, issues, delivery }: DeadLetter,
  { unmasked }: { unmasked: boolean },
): string {
  const { body } = delivery;
  const isText = typeof body === 'string';
  const shown = prettyJson(isText ? body : Buffer.from(body).toString('latin1'));
  const text = [
    `message     ${messageId}`,
    `reason      ${reason}`,
    ...(issues === undefined ? [] : [`issues      ${issues}`]),
    `receivedAt  ${delivery.receivedAt}`,
    `requestId   ${delivery.requestId}`,
    ...(isText ? [] : ['encoding    not UTF-8, shown as Latin-1']),
    '',
    unmasked ? shown : masked(shown),
  ];
  return printable(text.join('\n'));
}

const SessionId = v.object({ payload: v.object({ sessionId: v.string() }) });

function sessionOf(body: string | Uint8Array): string {
  try {
    const { payload } = v.parse(SessionId, typeof body === 'string' ? parseJson(body) : undefined);
    return inOneLine(masked(payload.sessionId.slice(0, 128)));
  } catch {
    return '(no session id)';
  }
}
