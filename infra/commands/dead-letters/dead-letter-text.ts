import * as v from 'valibot';
import { parseJson } from '../../../functions/vss/parse-json.ts';
import { age } from '../../terminal/age.ts';
import { inOneLine, printable } from '../../terminal/printable.ts';
import type { DeadLetter } from './dead-letter-queue.ts';
import { masked } from './masked.ts';
import { prettyJson } from './pretty-json.ts';

/** Lists dead letters by reason, the most frequent reason first. */
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

/** One line for a dead letter: message id, age and session id. */
export function letterLine({ messageId, delivery }: DeadLetter): string {
  return `${messageId}  ${age(Date.parse(delivery.receivedAt)).padStart(4)}  ${sessionOf(delivery.body)}`;
}

/** A dead letter in full. JSON is indented; a body that is not UTF-8 is shown as Latin-1. */
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
