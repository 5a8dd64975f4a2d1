/** Generated from docs/openapi.json by `npm run openapi`; a test fails when this file is stale. */

export type NewSubscriptionInput = {
  readonly eventTypes: readonly string[];
  readonly match:
    | 'everything'
    | {
        readonly company: readonly string[] | 'everything';
        readonly organisation?: readonly string[] | undefined;
        readonly folder?: readonly string[] | undefined;
      };
  readonly filter?: string | undefined;
  readonly sections?: readonly string[] | undefined;
  readonly destination:
    | {
        readonly type: 'api-gateway';
        readonly url: string;
        readonly method?: 'POST' | 'PUT' | undefined;
        readonly headers?: Readonly<Record<string, string>> | undefined;
        readonly timeoutMs?: number | undefined;
        readonly connectTimeoutMs?: number | undefined;
        readonly headersTimeoutMs?: number | undefined;
        readonly bodyTimeoutMs?: number | undefined;
        readonly format?: 'json' | 'cloudevents-binary' | 'cloudevents-structured' | 'slack' | undefined;
        readonly region?: string | undefined;
      }
    | {
        readonly type: 'email';
        readonly host: string;
        readonly port?: number | undefined;
        readonly encryption?: 'starttls' | 'tls' | 'none' | undefined;
        readonly from: string;
        readonly to: readonly string[];
        readonly timeoutMs?: number | undefined;
        readonly connectTimeoutMs?: number | undefined;
        readonly headersTimeoutMs?: number | undefined;
        readonly bodyTimeoutMs?: number | undefined;
      }
    | {
        readonly type: 'eventbridge';
        readonly eventBusArn: string;
        readonly endpoint?: string | undefined;
        readonly timeoutMs?: number | undefined;
        readonly connectTimeoutMs?: number | undefined;
        readonly headersTimeoutMs?: number | undefined;
        readonly bodyTimeoutMs?: number | undefined;
      }
    | {
        readonly type: 'http';
        readonly url: string;
        readonly method?: 'POST' | 'PUT' | undefined;
        readonly headers?: Readonly<Record<string, string>> | undefined;
        readonly timeoutMs?: number | undefined;
        readonly connectTimeoutMs?: number | undefined;
        readonly headersTimeoutMs?: number | undefined;
        readonly bodyTimeoutMs?: number | undefined;
        readonly format?: 'json' | 'cloudevents-binary' | 'cloudevents-structured' | 'slack' | undefined;
        readonly gzip?: boolean | undefined;
        readonly handshake?: boolean | undefined;
      }
    | {
        readonly type: 'sns';
        readonly topicArn: string;
        readonly endpoint?: string | undefined;
        readonly timeoutMs?: number | undefined;
        readonly connectTimeoutMs?: number | undefined;
        readonly headersTimeoutMs?: number | undefined;
        readonly bodyTimeoutMs?: number | undefined;
      }
    | {
        readonly type: 'sqs';
        readonly queueUrl: string;
        readonly region?: string | undefined;
        readonly timeoutMs?: number | undefined;
        readonly connectTimeoutMs?: number | undefined;
        readonly headersTimeoutMs?: number | undefined;
        readonly bodyTimeoutMs?: number | undefined;
      };
  readonly authentication?:
    | { readonly type: 'none' }
    | { readonly type: 'basic'; readonly username: string; readonly password: string }
    | { readonly type: 'api-key'; readonly name: string; readonly key: string }
    | {
        readonly type: 'oauth';
        readonly tokenUrl: string;
        readonly method?: 'GET' | 'POST' | 'PUT' | undefined;
        readonly clientId: string;
        readonly clientSecret?: string | undefined;
        readonly clientAuthentication?: 'header' | 'body' | 'private-key-jwt' | undefined;
        readonly clientKey?: string | undefined;
        readonly clientKeyId?: string | undefined;
        readonly assertionAudience?: string | undefined;
        readonly scope?: string | undefined;
        readonly audience?: string | undefined;
        readonly headers?: Readonly<Record<string, string | { readonly secret: string }>> | undefined;
        readonly query?: Readonly<Record<string, string | { readonly secret: string }>> | undefined;
        readonly body?: Readonly<Record<string, string | { readonly secret: string }>> | undefined;
      }
    | {
        readonly type: 'aws';
        readonly accessKeyId?: string | undefined;
        readonly secretAccessKey?: string | undefined;
        readonly roleArn?: string | undefined;
        readonly externalId?: string | undefined;
      }
    | undefined;
  readonly tls?:
    | {
        readonly clientCertificate?: string | undefined;
        readonly clientKey?: string | undefined;
        readonly ca?: string | undefined;
      }
    | undefined;
  readonly ratePerSecond?: number | undefined;
  readonly maxInFlight?: number | undefined;
  readonly freshFirst?: { readonly backlogShare?: number | undefined } | undefined;
  readonly ceilings?:
    | { readonly ratePerSecond?: number | undefined; readonly maxInFlight?: number | undefined }
    | undefined;
  readonly retention?:
    | {
        readonly deliveryDays?: number | undefined;
        readonly retryDays?: number | undefined;
        readonly deadLetterDays?: number | undefined;
        readonly stoppedDays?: number | undefined;
      }
    | undefined;
  readonly signing?: { readonly secrets: readonly string[] } | undefined;
  readonly state?: 'active' | 'paused' | 'disabled' | undefined;
};

export type LettersInput = {
  readonly reasons?: readonly string[] | undefined;
  readonly ids?: readonly string[] | undefined;
  readonly dryRun?: boolean | undefined;
};

export type Match =
  | 'everything'
  | {
      readonly company: readonly string[] | 'everything';
      readonly organisation?: readonly string[] | undefined;
      readonly folder?: readonly string[] | undefined;
    };

export type Retention = {
  readonly deliveryDays?: number | undefined;
  readonly retryDays?: number | undefined;
  readonly deadLetterDays?: number | undefined;
  readonly stoppedDays?: number | undefined;
};

export type Signing = { readonly secrets: readonly string[] };

export type Ceilings = { readonly ratePerSecond?: number | undefined; readonly maxInFlight?: number | undefined };

export type Destination =
  | {
      readonly type: 'api-gateway';
      readonly url: string;
      readonly method: 'POST' | 'PUT';
      readonly headers: Readonly<Record<string, string>>;
      readonly timeoutMs: number;
      readonly connectTimeoutMs?: number | undefined;
      readonly headersTimeoutMs?: number | undefined;
      readonly bodyTimeoutMs?: number | undefined;
      readonly format: 'json' | 'cloudevents-binary' | 'cloudevents-structured' | 'slack';
      readonly region?: string | undefined;
    }
  | {
      readonly type: 'email';
      readonly host: string;
      readonly port: number;
      readonly encryption: 'starttls' | 'tls' | 'none';
      readonly from: string;
      readonly to: readonly string[];
      readonly timeoutMs: number;
      readonly connectTimeoutMs?: number | undefined;
      readonly headersTimeoutMs?: number | undefined;
      readonly bodyTimeoutMs?: number | undefined;
    }
  | {
      readonly type: 'eventbridge';
      readonly eventBusArn: string;
      readonly endpoint?: string | undefined;
      readonly timeoutMs: number;
      readonly connectTimeoutMs?: number | undefined;
      readonly headersTimeoutMs?: number | undefined;
      readonly bodyTimeoutMs?: number | undefined;
    }
  | {
      readonly type: 'http';
      readonly url: string;
      readonly method: 'POST' | 'PUT';
      readonly headers: Readonly<Record<string, string>>;
      readonly timeoutMs: number;
      readonly connectTimeoutMs?: number | undefined;
      readonly headersTimeoutMs?: number | undefined;
      readonly bodyTimeoutMs?: number | undefined;
      readonly format: 'json' | 'cloudevents-binary' | 'cloudevents-structured' | 'slack';
      readonly gzip: boolean;
      readonly handshake: boolean;
    }
  | {
      readonly type: 'sns';
      readonly topicArn: string;
      readonly endpoint?: string | undefined;
      readonly timeoutMs: number;
      readonly connectTimeoutMs?: number | undefined;
      readonly headersTimeoutMs?: number | undefined;
      readonly bodyTimeoutMs?: number | undefined;
    }
  | {
      readonly type: 'sqs';
      readonly queueUrl: string;
      readonly region?: string | undefined;
      readonly timeoutMs: number;
      readonly connectTimeoutMs?: number | undefined;
      readonly headersTimeoutMs?: number | undefined;
      readonly bodyTimeoutMs?: number | undefined;
    };

export type Authentication =
  | { readonly type: 'none' }
  | { readonly type: 'basic'; readonly username: string; readonly password: string }
  | { readonly type: 'api-key'; readonly name: string; readonly key: string }
  | {
      readonly type: 'oauth';
      readonly tokenUrl: string;
      readonly method: 'GET' | 'POST' | 'PUT';
      readonly clientId: string;
      readonly clientSecret?: string | undefined;
      readonly clientAuthentication: 'header' | 'body' | 'private-key-jwt';
      readonly clientKey?: string | undefined;
      readonly clientKeyId?: string | undefined;
      readonly assertionAudience?: string | undefined;
      readonly scope?: string | undefined;
      readonly audience?: string | undefined;
      readonly headers: Readonly<Record<string, string | { readonly secret: string }>>;
      readonly query: Readonly<Record<string, string | { readonly secret: string }>>;
      readonly body: Readonly<Record<string, string | { readonly secret: string }>>;
    }
  | {
      readonly type: 'aws';
      readonly accessKeyId?: string | undefined;
      readonly secretAccessKey?: string | undefined;
      readonly roleArn?: string | undefined;
      readonly externalId?: string | undefined;
    };

export type Problem = {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly errors?: readonly { readonly pointer: string; readonly detail: string }[] | undefined;
  readonly waiting?: { readonly events: number; readonly deadLetters: number } | undefined;
};

export type Operation = {
  readonly id: string;
  readonly kind:
    | 'rewind'
    | 'redeliver'
    | 'redrive'
    | 'discard'
    | 'redrive-quarantine'
    | 'discard-quarantine'
    | 'delete'
    | 'erase';
  readonly customer?: string | undefined;
  readonly by: { readonly name: string; readonly role: string; readonly customer?: string | undefined };
  readonly input: Readonly<Record<string, unknown>>;
  readonly state: 'running' | 'done' | 'failed';
  readonly step: string;
  readonly startedAtMs: number;
  readonly updatedAtMs: number;
  readonly finishedAtMs?: number | undefined;
  readonly progress?: { readonly done: number; readonly total?: number | undefined } | undefined;
  readonly waitsFor?: string | undefined;
  readonly result?: Readonly<Record<string, unknown>> | undefined;
  readonly problem?:
    | {
        readonly code: string;
        readonly status: number;
        readonly detail: string;
        readonly waiting?: Readonly<Record<string, number>> | undefined;
      }
    | undefined;
};

export type Subscription = {
  readonly customer: string;
  readonly eventTypes: readonly string[];
  readonly match: Match;
  readonly filter?: string | undefined;
  readonly sections?: readonly string[] | undefined;
  readonly destination: Destination;
  readonly authentication: Authentication;
  readonly tls?:
    | {
        readonly clientCertificate?: string | undefined;
        readonly clientKey?: string | undefined;
        readonly ca?: string | undefined;
      }
    | undefined;
  readonly ratePerSecond?: number | undefined;
  readonly maxInFlight: number;
  readonly freshFirst?: { readonly backlogShare: number } | undefined;
  readonly ceilings?: Ceilings | undefined;
  readonly retention?: Retention | undefined;
  readonly signing?: Signing | undefined;
  readonly state: 'active' | 'paused' | 'disabled';
  readonly enableEpoch: number;
  readonly awaitsApproval?: true | undefined;
};

export type ListedSubscription = {
  readonly customer: string;
  readonly eventTypes: readonly string[];
  readonly match: Match;
  readonly filter?: string | undefined;
  readonly sections?: readonly string[] | undefined;
  readonly destination: Destination;
  readonly authentication: Authentication;
  readonly tls?:
    | {
        readonly clientCertificate?: string | undefined;
        readonly clientKey?: string | undefined;
        readonly ca?: string | undefined;
      }
    | undefined;
  readonly ratePerSecond?: number | undefined;
  readonly maxInFlight: number;
  readonly freshFirst?: { readonly backlogShare: number } | undefined;
  readonly ceilings?: Ceilings | undefined;
  readonly retention?: Retention | undefined;
  readonly signing?: Signing | undefined;
  readonly state: 'active' | 'paused' | 'disabled';
  readonly enableEpoch: number;
  readonly awaitsApproval?: true | undefined;
  readonly effectiveState: 'active' | 'paused' | 'disabled';
};

export type SavedSubscription = {
  readonly customer: string;
  readonly eventTypes: readonly string[];
  readonly match: Match;
  readonly filter?: string | undefined;
  readonly sections?: readonly string[] | undefined;
  readonly destination: Destination;
  readonly authentication: Authentication;
  readonly tls?:
    | {
        readonly clientCertificate?: string | undefined;
        readonly clientKey?: string | undefined;
        readonly ca?: string | undefined;
      }
    | undefined;
  readonly ratePerSecond?: number | undefined;
  readonly maxInFlight: number;
  readonly freshFirst?: { readonly backlogShare: number } | undefined;
  readonly ceilings?: Ceilings | undefined;
  readonly retention?: Retention | undefined;
  readonly signing?: Signing | undefined;
  readonly state: 'active' | 'paused' | 'disabled';
  readonly enableEpoch: number;
  readonly awaitsApproval?: true | undefined;
  readonly warnings: readonly { readonly pointer: string; readonly detail: string }[];
};

export type StateChange = { readonly customer: string; readonly before: string; readonly after: string };

export type Rewind = {
  readonly customer: string;
  readonly partitions: readonly { readonly partition: number; readonly from: number; readonly to: number }[];
  readonly again: number;
  readonly firstAtMs?: number | undefined;
  readonly lastAtMs?: number | undefined;
  readonly deleted: number;
  readonly waitingInRetry: number;
  readonly skipped: number;
};

export type LetterCount = { readonly chosen: number; readonly byReason: Readonly<Record<string, number>> };

export type Status = {
  readonly customer: string;
  readonly state: 'active' | 'paused' | 'disabled';
  readonly awaitsApproval?: true | undefined;
  readonly disabledBy?: 'operator' | 'worker' | undefined;
  readonly runBy?: string | undefined;
  readonly failing?: string | undefined;
  readonly matchesEveryCompany?: true | undefined;
  readonly worker?:
    | {
        readonly customer: string;
        readonly worker: string;
        readonly at: number;
        readonly breaker: 'closed' | 'open' | 'half-open';
        readonly disabledEpoch?: number | undefined;
        readonly disabledBecause?: string | undefined;
        readonly waitUntilMs?: number | undefined;
        readonly held?:
          | {
              readonly because: 'deauthorized' | 'refusals' | 'blocked';
              readonly sinceMs: number;
              readonly detail: string;
            }
          | undefined;
        readonly lastSuccessAtMs?: number | undefined;
        readonly committed?:
          | readonly {
              readonly topic: string;
              readonly partition: number;
              readonly offset: number;
              readonly metadata: string;
            }[]
          | undefined;
      }
    | undefined;
  readonly lastSuccessAtMs?: number | undefined;
  readonly oldestWaiting?:
    | { readonly eventId: string; readonly firstAtMs: number; readonly attempts: number }
    | undefined;
  readonly budget: { readonly maxAttempts: number; readonly windowMs: number };
  readonly disablesAtMs?: number | undefined;
  readonly invalidFilter?: string | undefined;
  readonly lagByLane: Readonly<Record<string, number>>;
  readonly deadRecords: number;
  readonly attempts: Readonly<Record<string, number>>;
};

export type Workers = {
  readonly items: readonly {
    readonly worker: string;
    readonly version: string;
    readonly startedAtMs: number;
    readonly isAlive: boolean;
    readonly hasNamesake: boolean;
    readonly silentForMs: number;
    readonly customers: readonly string[];
    readonly partitions: readonly number[];
    readonly failing: readonly { readonly customer: string; readonly because: string }[];
  }[];
  readonly unattended: readonly string[];
};

export type Intake = { readonly unmatched: number; readonly filtered: number; readonly sinceMs?: number | undefined };

export type Examination = {
  readonly isHealthy: boolean;
  readonly findings: readonly {
    readonly check:
      | 'kafka'
      | 'brokers'
      | 'topics'
      | 'rights'
      | 'groups'
      | 'registry'
      | 'workers'
      | 'customers'
      | 'keys'
      | 'clocks'
      | 'versions'
      | 'settings';
    readonly verdict: 'ok' | 'fault' | 'unknown';
    readonly detail: string;
    readonly advice?: string | undefined;
  }[];
};

export type AttemptOutcome =
  | 'delivered'
  | 'retry'
  | 'refused'
  | 'deauthorized'
  | 'blocked'
  | 'gone'
  | 'internal'
  | 'skipped';

export type Attempt = {
  readonly eventId: string;
  readonly replayId?: string | undefined;
  readonly source?: string | undefined;
  readonly attempt: number;
  readonly at: number;
  readonly durationMs: number;
  readonly outcome: AttemptOutcome;
  readonly status?: number | undefined;
  readonly error?: string | undefined;
  readonly operatorDetail?: string | undefined;
  readonly note?: string | undefined;
  readonly answer?: string | undefined;
  readonly lane: string;
  readonly test?: true | undefined;
};

export type ListedAttempt = {
  readonly eventId: string;
  readonly replayId?: string | undefined;
  readonly source?: string | undefined;
  readonly attempt: number;
  readonly at: number;
  readonly durationMs: number;
  readonly outcome: AttemptOutcome;
  readonly status?: number | undefined;
  readonly error?: string | undefined;
  readonly operatorDetail?: string | undefined;
  readonly note?: string | undefined;
  readonly answer?: string | undefined;
  readonly lane: string;
  readonly test?: true | undefined;
  readonly id: string;
};

export type Reconciliation = {
  readonly customer: string;
  readonly range: { readonly fromMs?: number | undefined; readonly toMs?: number | undefined };
  readonly written: number;
  readonly writtenRecords: number;
  readonly delivered: number;
  readonly waiting: number;
  readonly waitingByLane: Readonly<Record<string, number>>;
  readonly dead: number;
  readonly deadByReason: Readonly<Record<string, number>>;
  readonly removed: number;
  readonly skipped: number;
  readonly erased: number;
  readonly settled: number;
  readonly replays: number;
  readonly deliveredAgain: number;
  readonly events?:
    | Readonly<
        Record<string, 'delivered' | 'waiting' | 'dead' | 'removed' | 'skipped' | 'erased' | 'settled' | 'unaccounted'>
      >
    | undefined;
  readonly unaccounted: readonly {
    readonly eventId: string;
    readonly source?: string | undefined;
    readonly replayId?: string | undefined;
  }[];
};

export type AuditRecord = {
  readonly id: string;
  readonly at: number;
  readonly who: {
    readonly id?: string | undefined;
    readonly name: string;
    readonly role: string;
    readonly customer?: string | undefined;
  };
  readonly what:
    | 'create'
    | 'replace'
    | 'delete'
    | 'pause'
    | 'resume'
    | 'enable'
    | 'disable'
    | 'set-secret'
    | 'end-fallback'
    | 'request-certificate'
    | 'invite'
    | 'renew-invitation'
    | 'revoke-invitation'
    | 'lock-invitation'
    | 'approve'
    | 'reseal'
    | 'rewind'
    | 'redeliver'
    | 'redrive'
    | 'discard'
    | 'redrive-quarantine'
    | 'discard-quarantine'
    | 'open-quarantine'
    | 'rotate-keys'
    | 'test'
    | 'read-payload'
    | 'produce'
    | 'rehearse'
    | 'erase'
    | 'erased';
  readonly customer?: string | undefined;
  readonly before?: Readonly<Record<string, unknown>> | undefined;
  readonly after?: Readonly<Record<string, unknown>> | undefined;
  readonly changes?:
    | readonly { readonly pointer: string; readonly before?: string | undefined; readonly after?: string | undefined }[]
    | undefined;
  readonly moreChanges?: number | undefined;
  readonly secrets?: readonly string[] | undefined;
  readonly detail?: Readonly<Record<string, unknown>> | undefined;
};

export type ErasurePlan = {
  readonly events: number;
  readonly customers: readonly string[];
  readonly remainders: readonly {
    readonly topic: string;
    readonly copies: number;
    readonly deletedByMs?: number | undefined;
  }[];
};

export type ErasureReceipt = {
  readonly events: number;
  readonly customers: readonly string[];
  readonly remainders: readonly {
    readonly topic: string;
    readonly copies: number;
    readonly deletedByMs?: number | undefined;
    readonly because: 'intake' | 'earlier-version' | 'copies-wait' | 'refused' | 'time-out';
    readonly places?: readonly string[] | undefined;
  }[];
  readonly request: string;
  readonly erasedAtMs: number;
  readonly fromMs?: number | undefined;
  readonly deadLetters: number;
  readonly quarantined: number;
  readonly removed: number;
};

export type EventTypeSummary = {
  readonly name: string;
  readonly schemaVersion: string;
  readonly description: string;
  readonly sections: readonly string[];
};

export type EventTypeDescription = {
  readonly name: string;
  readonly schemaVersion: string;
  readonly description: string;
  readonly sections: readonly string[];
  readonly jsonSchema: Readonly<Record<string, unknown>>;
  readonly sample: Readonly<Record<string, unknown>>;
};

export type EventFate = {
  readonly customer: string;
  readonly eventId: string;
  readonly state: 'delivered' | 'retrying' | 'held' | 'dead' | 'skipped';
  readonly attempts: number;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
  readonly lastOutcome: AttemptOutcome;
  readonly lastStatus?: number | undefined;
  readonly lastError?: string | undefined;
  readonly nextDueMs?: number | undefined;
  readonly source?: string | undefined;
};

export type DeadLetterInside = {
  readonly id: string;
  readonly eventId: string;
  readonly eventType: string;
  readonly reason: string;
  readonly detail?: string | undefined;
  readonly attempts: number;
  readonly at: number;
  readonly source?: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly event?: unknown | undefined;
  readonly unreadable?: string | undefined;
};

export type EventContent = { readonly event?: unknown | undefined; readonly unreadable?: string | undefined };

export type TestAnswer = {
  readonly customer: string;
  readonly eventId: string;
  readonly eventType: string;
  readonly outcome: string;
  readonly durationMs: number;
  readonly status?: number | undefined;
  readonly error?: string | undefined;
  readonly answer?: string | undefined;
};

export type CustomerExplanation = {
  readonly customer: string;
  readonly state: 'active' | 'paused' | 'disabled';
  readonly runBy?: string | undefined;
  readonly gate: readonly {
    readonly because: string;
    readonly detail: string;
    readonly cure?: string | undefined;
    readonly untilMs?: number | undefined;
  }[];
  readonly nextAttempt?:
    | {
        readonly atMs: number;
        readonly lane: string;
        readonly eventId: string;
        readonly attempt: number;
        readonly isAtLatest: boolean;
      }
    | undefined;
  readonly backlog: { readonly records: number; readonly byLane: Readonly<Record<string, number>> };
  readonly deliveredPerSecond: number;
  readonly arrivingPerSecond: number;
  readonly drain: { readonly kind: 'empty' | 'drained' | 'growing' | 'stopped'; readonly atMs?: number | undefined };
  readonly budget?:
    | {
        readonly eventId: string;
        readonly attempts: number;
        readonly maxAttempts: number;
        readonly usedMs: number;
        readonly windowMs: number;
      }
    | undefined;
  readonly disabling?: { readonly atMs: number; readonly because: string } | undefined;
  readonly isPartial: boolean;
};

export type EventExplanation = {
  readonly eventId: string;
  readonly eventType: string;
  readonly source: string;
  readonly atMs?: number | undefined;
  readonly fanOut: { readonly state: 'routed' | 'waiting' | 'quarantined'; readonly detail?: string | undefined };
  readonly matching: readonly {
    readonly customer: string;
    readonly matches: boolean;
    readonly whyNot: readonly string[];
  }[];
  readonly unreadable?: string | undefined;
  readonly deliveries: readonly {
    readonly customer: string;
    readonly state: 'active' | 'paused' | 'disabled';
    readonly fate: 'delivered' | 'waiting' | 'dead' | 'skipped' | 'unknown';
    readonly lane?: string | undefined;
    readonly offset?: number | undefined;
    readonly dueAtMs?: number | undefined;
    readonly deadBecause?: string | undefined;
    readonly attempts: readonly Attempt[];
  }[];
  readonly isPartial: boolean;
};

export type ProducedEvent = {
  readonly eventId: string;
  readonly eventType: string;
  readonly topic: string;
  readonly source: string;
  readonly customers: readonly { readonly customer: string; readonly state: 'active' | 'paused' | 'disabled' }[];
};

export type QuarantinedRecord = {
  readonly id: string;
  readonly eventId: string;
  readonly eventType: string;
  readonly reason: string;
  readonly detail?: string | undefined;
  readonly at: number;
  readonly bytes: number;
};

export type QuarantinedRecordInside = {
  readonly id: string;
  readonly eventId: string;
  readonly eventType: string;
  readonly reason: string;
  readonly detail?: string | undefined;
  readonly at: number;
  readonly bytes: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly value: string;
  readonly event?: unknown | undefined;
  readonly unreadable?: string | undefined;
};

export type Facts = {
  readonly egressAddresses?: readonly string[] | undefined;
  readonly awsPrincipal?: string | undefined;
  readonly budget: { readonly maxAttempts: number; readonly windowMs: number };
};

export type Health = {
  readonly writer: { readonly isThisOne: boolean; readonly origin?: string | undefined };
  readonly workers: { readonly alive: number; readonly dead: number; readonly failing: number };
  readonly customers: {
    readonly active: number;
    readonly paused: number;
    readonly disabled: number;
    readonly unattended: number;
  };
  readonly intakeLag: Readonly<Record<string, number>>;
  readonly quarantined: number;
  readonly registry: { readonly verdict: 'ok' | 'fault' | 'unknown'; readonly detail: string };
  readonly keyIds: {
    readonly controlPlane: readonly string[];
    readonly workers: Readonly<Record<string, readonly string[]>>;
  };
};

export type Rehearsal = {
  readonly customer: string;
  readonly eventType: string;
  readonly findings: readonly {
    readonly case: string;
    readonly expects: 'accepted' | 'refused';
    readonly verdict: 'passed' | 'failed' | 'skipped';
    readonly text: string;
    readonly status?: number | undefined;
  }[];
};

export type Me = {
  readonly name: string;
  readonly role: 'operator' | 'customer' | 'reader';
  readonly customer?: string | undefined;
  readonly may: {
    readonly oversee: boolean;
    readonly act: boolean;
    readonly operate: boolean;
    readonly payload: boolean;
  };
  readonly session?: { readonly id: string; readonly expiresAtMs: number } | undefined;
};

export type CertificateRequest = {
  readonly id: string;
  readonly commonName: string;
  readonly csr: string;
  readonly madeAtMs: number;
};

export type RecentTrial = {
  readonly tried: number;
  readonly passed: number;
  readonly failed: number;
  readonly unreadable: number;
  readonly fromMs?: number | undefined;
  readonly toMs?: number | undefined;
};

export type Invitation = {
  readonly id: string;
  readonly customer: string;
  readonly kind: 'secrets' | 'setup';
  readonly places: readonly string[];
  readonly setup?: Readonly<Record<string, unknown>> | undefined;
  readonly hosts?: readonly string[] | undefined;
  readonly reason?: string | undefined;
  readonly by: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  readonly state: 'open' | 'used' | 'locked' | 'revoked' | 'expired';
  readonly failures: number;
  readonly usedAtMs?: number | undefined;
  readonly receipt?: string | undefined;
};

export type NewInvitation = {
  readonly id: string;
  readonly customer: string;
  readonly kind: 'secrets' | 'setup';
  readonly places: readonly string[];
  readonly setup?: Readonly<Record<string, unknown>> | undefined;
  readonly hosts?: readonly string[] | undefined;
  readonly reason?: string | undefined;
  readonly by: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  readonly state: 'open' | 'used' | 'locked' | 'revoked' | 'expired';
  readonly failures: number;
  readonly usedAtMs?: number | undefined;
  readonly receipt?: string | undefined;
  readonly link: string;
  readonly code: string;
};

export type Secret = {
  readonly name: string;
  readonly setAtMs?: number | undefined;
  readonly fallbackUntilMs?: number | undefined;
};

export type EventStory = {
  readonly customer: string;
  readonly eventId: string;
  readonly state: 'delivered' | 'retrying' | 'held' | 'dead' | 'skipped';
  readonly attempts: number;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
  readonly lastOutcome: AttemptOutcome;
  readonly lastStatus?: number | undefined;
  readonly lastError?: string | undefined;
  readonly nextDueMs?: number | undefined;
  readonly source?: string | undefined;
  readonly tries: readonly ListedAttempt[];
};

export type SealingKey = { readonly kid: string; readonly x: string; readonly y: string };

export type NoticeEvent = {
  readonly schema_version: 'v1.0';
  readonly noticeid: string;
  readonly company: string;
  readonly kind: string;
  readonly state: string;
  readonly severity: string;
  readonly since: string;
  readonly at: string;
  readonly text: string;
  readonly customers: readonly string[];
  readonly customer_count: number;
};

export type RootCauseEvent = {
  readonly schema_version: 'v1.0';
  readonly statusCode: number;
  readonly summary?: RootCauseSummary | undefined;
  readonly clientwords?: string | undefined;
  readonly intent?: RootCauseIntent | undefined;
  readonly dissatisfaction?: RootCauseDissatisfaction | undefined;
  readonly callback?: RootCauseCallback | undefined;
};

export type RootCauseSummary = {
  readonly filename: string;
  readonly requestid: string;
  readonly company: string;
  readonly organisation: string;
  readonly folder: string;
  readonly processed: boolean;
  readonly process_result: string;
  readonly call_summary?: RootCauseCallSummary | undefined;
};

export type RootCauseCallSummary = {
  readonly classifier: string;
  readonly summary: string;
  readonly multiple_summary_flag: number;
};

export type RootCauseIntent = {
  readonly filename: string;
  readonly requestid: string;
  readonly company: string;
  readonly organisation: string;
  readonly folder: string;
  readonly processed: boolean;
  readonly process_result: string;
  readonly call_intent?: RootCauseCallIntent | undefined;
};

export type RootCauseCallIntent = {
  readonly classifier: string;
  readonly identified_intent: boolean;
  readonly reason: string;
  readonly dimension_category_id: null | string;
  readonly category_name: string;
  readonly sub_category: string;
  readonly classification_version: string;
};

export type RootCauseDissatisfaction = {
  readonly filename: string;
  readonly requestid: string;
  readonly company: string;
  readonly organisation: string;
  readonly folder: string;
  readonly processed: boolean;
  readonly process_result: string;
  readonly call_dissatisfaction?: RootCauseCallDissatisfaction | undefined;
};

export type RootCauseCallDissatisfaction = {
  readonly classifier: string;
  readonly identified_dissatisfaction: boolean;
  readonly reason: string;
  readonly dimension_category_id: null | string;
  readonly category_name: string;
  readonly sub_category: string;
  readonly classification_version: string;
};

export type RootCauseCallback = {
  readonly filename: string;
  readonly requestid: string;
  readonly company: string;
  readonly organisation: string;
  readonly folder: string;
  readonly processed: boolean;
  readonly process_result: string;
  readonly call_callback?: RootCauseCallCallback | undefined;
};

export type RootCauseCallCallback = {
  readonly classifier: string;
  readonly identified_callback: boolean;
  readonly reason: string;
  readonly dimension_category_id: null | string;
  readonly category_name: string;
  readonly sub_category: string;
  readonly classification_version: string;
};

/** The types of request and answer, by method and path. */

export interface Routes {
  'GET /v1/me': {
    query: Readonly<Record<string, never>>;
    body: undefined;
    answer: Me;
  };
  'GET /v1/sessions': {
    query: Readonly<Record<string, never>>;
    body: undefined;
    answer: {
      readonly items: readonly {
        readonly id: string;
        readonly name: string;
        readonly role: 'operator' | 'customer' | 'reader';
        readonly customer?: string | undefined;
        readonly by: 'token' | 'oidc';
        readonly createdAtMs: number;
        readonly expiresAtMs: number;
        readonly isCurrent: boolean;
      }[];
    };
  };
  'POST /v1/sessions': {
    query: Readonly<Record<string, never>>;
    body: undefined;
    answer: { readonly id: string; readonly expiresAtMs: number };
  };
  'POST /v1/sessions/links': {
    query: Readonly<Record<string, never>>;
    body: undefined;
    answer: { readonly path: string; readonly expiresAtMs: number };
  };
  'DELETE /v1/sessions/{id}': {
    query: Readonly<Record<string, never>>;
    body: undefined;
    answer: undefined;
  };
  'GET /v1/subscriptions': {
    query: {
      readonly limit?: number | undefined;
      readonly cursor?: string | undefined;
      readonly awaitsApproval?: 'true' | undefined;
    };
    body: undefined;
    answer: { readonly items: readonly ListedSubscription[]; readonly next?: string | undefined };
  };
  'GET /v1/subscriptions/{customer}': {
    query: Readonly<Record<string, never>>;
    body: undefined;
    answer: Subscription;
  };
  'PUT /v1/subscriptions/{customer}': {
    query: Readonly<Record<string, never>>;
    body: NewSubscriptionInput;
    answer: SavedSubscription;
  };
  'PATCH /v1/subscriptions/{customer}': {
    query: Readonly<Record<string, never>>;
    body: { readonly sealed?: Readonly<Record<string, string>> | undefined } & Readonly<Record<string, unknown>>;
    answer: SavedSubscription;
  };
  'DELETE /v1/subscriptions/{customer}': {
    query: { readonly waiting?: 'discard' | 'keep' | undefined; readonly dryRun?: 'true' | 'false' | undefined };
    body: undefined;
    answer:
      | {
          readonly customer: string;
          readonly waiting: { readonly events: number; readonly deadLetters: number };
          readonly topics: 'removed' | 'kept';
        }
      | Operation;
  };
  'POST /v1/subscriptions/{customer}/pause': {
    query: Readonly<Record<string, never>>;
    body: undefined;
    answer: StateChange;
  };
  'POST /v1/subscriptions/{customer}/resume': {
    query: Readonly<Record<string, never>>;
    body: undefined;
    answer: StateChange;
  };
  'POST /v1/subscriptions/{customer}/enable': {
    query: Readonly<Record<string, never>>;
    body: undefined;
    answer: StateChange;
  };
  'POST /v1/subscriptions/{customer}/disable': {
    query: Readonly<Record<string, never>>;
    body: undefined;
    answer: StateChange;
  };
  'GET /v1/subscriptions/{customer}/status': {
    query: Readonly<Record<string, never>>;
    body: undefined;
    answer: Status;
  };
  'POST /v1/subscriptions/{customer}/rewinds': {
    query: Readonly<Record<string, never>>;
    body: {
      readonly to: { readonly time: string } | { readonly offset: number } | 'earliest';
      readonly dryRun?: boolean | undefined;
      readonly maySkip?: boolean | undefined;
    };
    answer: Rewind | Operation;
  };
  'POST /v1/subscriptions/{customer}/redeliveries': {
    query: Readonly<Record<string, never>>;
    body:
      | { readonly eventId: string; readonly dryRun?: boolean | undefined }
      | { readonly from?: string | undefined; readonly to?: string | undefined; readonly dryRun?: boolean | undefined };
    answer: { readonly customer: string; readonly replayId?: string | undefined; readonly events: number } | Operation;
  };
  'GET /v1/operations': {
    query: {
      readonly limit?: number | undefined;
      readonly cursor?: string | undefined;
      readonly idPrefix?: string | undefined;
      readonly state?: 'running' | 'done' | 'failed' | undefined;
    };
    body: undefined;
    answer: { readonly items: readonly Operation[]; readonly next?: string | undefined };
  };
  'GET /v1/operations/{id}': {
    query: Readonly<Record<string, never>>;
    body: undefined;
    answer: Operation;
  };
  'GET /v1/subscriptions/{customer}/reconciliation': {
    query: {
      readonly from?: string | undefined;
      readonly to?: string | undefined;
      readonly events?: 'true' | 'false' | undefined;
    };
    body: undefined;
    answer: Reconciliation;
  };
  'GET /v1/subscriptions/{customer}/dead-letters': {
    query: {
      readonly limit?: number | undefined;
      readonly cursor?: string | undefined;
      readonly idPrefix?: string | undefined;
      readonly reason?: 'refused' | 'exhausted' | 'internal' | undefined;
      readonly order?: 'oldest' | 'newest' | undefined;
    };
    body: undefined;
    answer: {
      readonly items: readonly {
        readonly id: string;
        readonly eventId: string;
        readonly eventType: string;
        readonly reason: string;
        readonly detail?: string | undefined;
        readonly attempts: number;
        readonly at: number;
        readonly source?: string | undefined;
      }[];
      readonly next?: string | undefined;
      readonly byReason: Readonly<Record<string, number>>;
    };
  };
  'POST /v1/subscriptions/{customer}/dead-letters/redrives': {
    query: Readonly<Record<string, never>>;
    body: LettersInput;
    answer: { readonly taken: number; readonly stayed: number } | LetterCount | Operation;
  };
  'POST /v1/subscriptions/{customer}/dead-letters/discards': {
    query: Readonly<Record<string, never>>;
    body: LettersInput;
    answer: { readonly taken: number; readonly stayed: number } | LetterCount | Operation;
  };
  'GET /v1/quarantine': {
    query: {
      readonly limit?: number | undefined;
      readonly cursor?: string | undefined;
      readonly idPrefix?: string | undefined;
    };
    body: undefined;
    answer: { readonly items: readonly QuarantinedRecord[]; readonly next?: string | undefined };
  };
  'POST /v1/quarantine/openings': {
    query: Readonly<Record<string, never>>;
    body: { readonly id: string };
    answer: QuarantinedRecordInside;
  };
  'POST /v1/quarantine/redrives': {
    query: Readonly<Record<string, never>>;
    body: {
      readonly reasons?: readonly string[] | undefined;
      readonly ids?: readonly string[] | undefined;
      readonly dryRun?: boolean | undefined;
      readonly force?: boolean | undefined;
    };
    answer:
      | { readonly taken: number; readonly stayed: number; readonly stillUnreadable?: number | undefined }
      | LetterCount
      | Operation;
  };
  'POST /v1/quarantine/discards': {
    query: Readonly<Record<string, never>>;
    body: {
      readonly reasons?: readonly string[] | undefined;
      readonly ids?: readonly string[] | undefined;
      readonly dryRun?: boolean | undefined;
      readonly force?: boolean | undefined;
    };
    answer:
      | { readonly taken: number; readonly stayed: number; readonly stillUnreadable?: number | undefined }
      | LetterCount
      | Operation;
  };
  'POST /v1/erasures': {
    query: Readonly<Record<string, never>>;
    body: { readonly requestId: string; readonly from?: string | undefined; readonly dryRun?: boolean | undefined };
    answer: ErasureReceipt | ErasurePlan | Operation;
  };
  'GET /v1/subscriptions/{customer}/attempts': {
    query: {
      readonly limit?: number | undefined;
      readonly cursor?: string | undefined;
      readonly from?: string | undefined;
      readonly to?: string | undefined;
      readonly eventId?: string | undefined;
      readonly eventIdPrefix?: string | undefined;
      readonly outcome?:
        | 'delivered'
        | 'retry'
        | 'refused'
        | 'deauthorized'
        | 'blocked'
        | 'gone'
        | 'internal'
        | 'skipped'
        | undefined;
    };
    body: undefined;
    answer: { readonly items: readonly ListedAttempt[]; readonly next?: string | undefined };
  };
  'GET /v1/subscriptions/{customer}/attempts/live': {
    query: Readonly<Record<string, never>>;
    body: undefined;
    answer: undefined;
  };
  'GET /v1/attempts/live': {
    query: Readonly<Record<string, never>>;
    body: undefined;
    answer: undefined;
  };
  'GET /v1/subscriptions/{customer}/dead-letters/{id}': {
    query: Readonly<Record<string, never>>;
    body: undefined;
    answer: DeadLetterInside;
  };
  'GET /v1/subscriptions/{customer}/events/{id}/content': {
    query: Readonly<Record<string, never>>;
    body: undefined;
    answer: EventContent;
  };
  'POST /v1/subscriptions/{customer}/test': {
    query: Readonly<Record<string, never>>;
    body: { readonly eventType?: string | undefined } | null;
    answer: TestAnswer;
  };
  'GET /v1/subscriptions/{customer}/explanation': {
    query: Readonly<Record<string, never>>;
    body: undefined;
    answer: CustomerExplanation;
  };
  'GET /v1/events/{id}/explanation': {
    query: { readonly from?: string | undefined };
    body: undefined;
    answer: EventExplanation;
  };
  'GET /v1/subscriptions/{customer}/attempts/series': {
    query: { readonly stepMs?: number | undefined };
    body: undefined;
    answer: {
      readonly stepMs: number;
      readonly items: readonly {
        readonly atMs: number;
        readonly outcomes: Readonly<Record<string, number>>;
        readonly p50Ms?: number | undefined;
        readonly p95Ms?: number | undefined;
        readonly p99Ms?: number | undefined;
      }[];
    };
  };
  'GET /v1/subscriptions/{customer}/events': {
    query: {
      readonly limit?: number | undefined;
      readonly cursor?: string | undefined;
      readonly from?: string | undefined;
      readonly to?: string | undefined;
      readonly state?: 'delivered' | 'retrying' | 'held' | 'dead' | 'skipped' | undefined;
    };
    body: undefined;
    answer: { readonly items: readonly EventFate[]; readonly next?: string | undefined };
  };
  'GET /v1/subscriptions/{customer}/events/{id}': {
    query: Readonly<Record<string, never>>;
    body: undefined;
    answer: EventStory;
  };
  'GET /v1/events/{id}': {
    query: Readonly<Record<string, never>>;
    body: undefined;
    answer: { readonly items: readonly EventFate[] };
  };
  'POST /v1/events': {
    query: Readonly<Record<string, never>>;
    body: {
      readonly event: Readonly<Record<string, unknown>>;
      readonly eventType?: string | undefined;
      readonly eventId?: string | undefined;
    };
    answer: ProducedEvent;
  };
  'POST /v1/subscriptions/{customer}/rehearsals': {
    query: Readonly<Record<string, never>>;
    body: { readonly eventType?: string | undefined } | null;
    answer: Rehearsal;
  };
  'GET /v1/subscriptions/{customer}/secrets': {
    query: Readonly<Record<string, never>>;
    body: undefined;
    answer: { readonly items: readonly Secret[] };
  };
  'PUT /v1/subscriptions/{customer}/secrets/{name}': {
    query: Readonly<Record<string, never>>;
    body:
      | { readonly value: string; readonly overlap?: string | undefined }
      | { readonly sealed: string; readonly overlap?: string | undefined };
    answer: Secret;
  };
  'DELETE /v1/subscriptions/{customer}/secrets/{name}/fallback': {
    query: Readonly<Record<string, never>>;
    body: undefined;
    answer: Secret;
  };
  'GET /v1/sealing-keys': {
    query: Readonly<Record<string, never>>;
    body: undefined;
    answer: { readonly items: readonly SealingKey[] };
  };
  'GET /v1/seals-to-rotate': {
    query: { readonly after?: string | undefined };
    body: undefined;
    answer: {
      readonly items: readonly {
        readonly customer: string;
        readonly secrets: readonly { readonly place: string; readonly sealed: string }[];
      }[];
    };
  };
  'POST /v1/subscriptions/{customer}/reseals': {
    query: Readonly<Record<string, never>>;
    body: { readonly secrets: readonly { readonly place: string; readonly from: string; readonly to: string }[] };
    answer: { readonly resealed: number };
  };
  'GET /v1/subscriptions/{customer}/certificate-request': {
    query: Readonly<Record<string, never>>;
    body: undefined;
    answer: CertificateRequest;
  };
  'POST /v1/subscriptions/{customer}/certificate-request': {
    query: Readonly<Record<string, never>>;
    body: { readonly commonName?: string | undefined };
    answer: CertificateRequest;
  };
  'PUT /v1/subscriptions/{customer}/certificate': {
    query: Readonly<Record<string, never>>;
    body: { readonly certificate: string };
    answer: Subscription;
  };
  'GET /v1/invitations': {
    query: Readonly<Record<string, never>>;
    body: undefined;
    answer: { readonly items: readonly Invitation[] };
  };
  'POST /v1/invitations': {
    query: Readonly<Record<string, never>>;
    body: {
      readonly customer: string;
      readonly secrets?: readonly string[] | undefined;
      readonly setup?:
        | {
            readonly eventTypes: readonly string[];
            readonly match: unknown;
            readonly filter?: string | undefined;
            readonly sections?: readonly string[] | undefined;
          }
        | undefined;
      readonly hosts?: readonly string[] | undefined;
      readonly reason?: string | undefined;
      readonly life?: string | undefined;
    };
    answer: NewInvitation;
  };
  'POST /v1/invitations/{id}/renew': {
    query: Readonly<Record<string, never>>;
    body: { readonly life?: string | undefined };
    answer: NewInvitation;
  };
  'POST /v1/invitations/{id}/revoke': {
    query: Readonly<Record<string, never>>;
    body: undefined;
    answer: Invitation;
  };
  'POST /v1/subscriptions/{customer}/approve': {
    query: Readonly<Record<string, never>>;
    body: undefined;
    answer: { readonly customer: string; readonly state: 'active' | 'paused' | 'disabled' };
  };
  'GET /v1/audit': {
    query: {
      readonly limit?: number | undefined;
      readonly cursor?: number | undefined;
      readonly customer?: string | undefined;
    };
    body: undefined;
    answer: { readonly items: readonly AuditRecord[]; readonly next?: string | undefined };
  };
  'GET /v1/subscriptions/{customer}/audit': {
    query: { readonly limit?: number | undefined; readonly cursor?: number | undefined };
    body: undefined;
    answer: { readonly items: readonly AuditRecord[]; readonly next?: string | undefined };
  };
  'POST /v1/filters/try': {
    query: Readonly<Record<string, never>>;
    body: {
      readonly filter: string;
      readonly event: Readonly<Record<string, unknown>>;
      readonly eventType?: string | undefined;
    };
    answer: { readonly matches: boolean; readonly lacks?: string | undefined; readonly error?: string | undefined };
  };
  'POST /v1/subscriptions/{customer}/filters/try': {
    query: Readonly<Record<string, never>>;
    body: { readonly filter: string; readonly events?: number | undefined };
    answer: RecentTrial;
  };
  'GET /v1/event-types': {
    query: Readonly<Record<string, never>>;
    body: undefined;
    answer: { readonly eventTypes: readonly EventTypeSummary[] };
  };
  'GET /v1/event-types/{name}': {
    query: Readonly<Record<string, never>>;
    body: undefined;
    answer: EventTypeDescription;
  };
  'POST /v1/subscriptions/{customer}/comparisons': {
    query: Readonly<Record<string, never>>;
    body: NewSubscriptionInput;
    answer: {
      readonly change: 'created' | 'updated' | 'unchanged';
      readonly secrets: readonly string[];
      readonly uncertain: readonly string[];
      readonly stored?: Subscription | undefined;
      readonly etag?: string | undefined;
    };
  };
  'GET /v1/status': {
    query: { readonly limit?: number | undefined; readonly cursor?: string | undefined };
    body: undefined;
    answer: { readonly items: readonly Status[]; readonly next?: string | undefined };
  };
  'GET /v1/doctor': {
    query: Readonly<Record<string, never>>;
    body: undefined;
    answer: Examination;
  };
  'GET /v1/intake': {
    query: Readonly<Record<string, never>>;
    body: undefined;
    answer: Intake;
  };
  'GET /v1/workers': {
    query: Readonly<Record<string, never>>;
    body: undefined;
    answer: Workers;
  };
  'GET /v1/health': {
    query: Readonly<Record<string, never>>;
    body: undefined;
    answer: Health;
  };
  'GET /v1/facts': {
    query: Readonly<Record<string, never>>;
    body: undefined;
    answer: Facts;
  };
}
