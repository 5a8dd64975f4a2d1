import { randomUUID } from 'node:crypto';

interface CallFacts {
  requestId?: string;
  company?: string;
  organisation?: string;
  folder?: string;
  transcript?: string;
}

/** A Root Cause event as an upstream producer makes it: an analyzed call with a summary and an intent. */
export function rootCauseEvent(facts: CallFacts = {}) {
  const requestid = facts.requestId ?? randomUUID();
  const call = {
    filename: `${requestid}.wav`,
    requestid,
    company: facts.company ?? 'ACME Corporation',
    organisation: facts.organisation ?? 'North America',
    folder: facts.folder ?? 'Support',
    processed: true,
    process_result: 'Complete',
  };
  return {
    schema_version: 'v1.0',
    statusCode: 200,
    summary: {
      ...call,
      call_summary: { classifier: 'summary', summary: 'The caller asks for a new address.', multiple_summary_flag: 0 },
    },
    clientwords: facts.transcript ?? 'hello my name is [NAME] i moved to [ADDRESS]',
    intent: {
      ...call,
      call_intent: {
        classifier: 'intent',
        identified_intent: true,
        reason: 'The caller moved.',
        dimension_category_id: null,
        category_name: 'support',
        sub_category: 'update address',
        classification_version: 'vi8',
      },
    },
    dissatisfaction: null,
    callback: null,
  };
}

export type RootCauseEvent = ReturnType<typeof rootCauseEvent>;
