/** What the API would answer from topics: the fleet that is made up has no Kafka. For how pages look, and nothing else. */
import type { Page } from 'playwright-core';

const HOUR_MS = 3_600_000;
const CSR = '-----BEGIN CERTIFICATE REQUEST-----\nbWFkZSB1cA==\n-----END CERTIFICATE REQUEST-----\n';

/** By the end of the path. */
function answers(nowMs: number): readonly (readonly [path: RegExp, body: unknown])[] {
  const letter = {
    ...{ eventId: '0b5e7a1c-0000-4000-8000-000000000101', eventType: 'root-cause', reason: 'refused', attempts: 1 },
    ...{ detail: 'HTTP 422: {"error":"unknown folder"}', at: nowMs - 2 * HOUR_MS, source: 'root-cause.events/0/101' },
  };
  const letters = ['a', 'b', 'c'].map((id) => ({ ...letter, id: `${letter.eventId}${id}` }));
  const quarantined = {
    ...{ id: 'root-cause.events/0/77', eventId: 'e-77', eventType: 'root-cause', reason: 'malformed-frame' },
    ...{ detail: 'the first byte is 110, not 0', at: nowMs - HOUR_MS, bytes: 8 },
  };
  const changed = {
    ...{
      id: 'change-1',
      at: nowMs - HOUR_MS,
      who: { name: 'ann', role: 'operator' },
      what: 'replace',
      customer: 'acme',
    },
    ...{ before: { ratePerSecond: 5 }, after: { ratePerSecond: 50 }, secrets: ['authentication.key'] },
  };
  const finding = { check: 'kafka', verdict: 'ok', detail: '3 brokers at kafka-1:9092.' };
  const fault = { check: 'registry', verdict: 'fault', detail: 'It cannot be asked.', advice: 'Check that it runs.' };
  return [
    [/\/dead-letters$/, { items: letters, byReason: { refused: 3 } }],
    [/\/v1\/quarantine$/, { items: [quarantined] }],
    [/\/audit$/, { items: [changed] }],
    [/\/certificate-request$/, { id: 'r-1', commonName: 'databridge-acme', csr: CSR, madeAtMs: nowMs - HOUR_MS }],
    [/\/v1\/doctor$/, { isHealthy: false, findings: [finding, fault] }],
  ];
}

/** For every page of the context, until it is closed. */
export async function answerFromTopics(page: Page): Promise<void> {
  const given = answers(Date.now());
  await page.context().route(/\/v1\//, async (route) => {
    const { pathname } = new URL(route.request().url());
    const found = route.request().method() === 'GET' ? given.find(([path]) => path.test(pathname)) : undefined;
    if (found === undefined) await route.fallback();
    else await route.fulfill({ json: found[1] });
  });
}
