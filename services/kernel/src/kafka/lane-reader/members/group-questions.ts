import { fetchOffsets } from '../../kafkajs/flexible-requests.ts';
import { CODE, isCoordinatorMove } from '../../protocol-codes.ts';
import type { CommittedOffset } from '../../records.ts';
import type { BrokerLink } from '../brokers/broker-link.ts';
import type { Coordinators } from '../brokers/coordinators.ts';
import { Together } from '../brokers/together.ts';
import { groupFailure } from './group-place.ts';
import { type DescribedGroup, describeGroups } from './group-requests.ts';

/** The number of groups in one request. */
const MAX_GROUPS = 500;

interface CommittedAnswer {
  readonly errorCode: number;
  readonly offsets: readonly CommittedOffset[];
}

interface Questions {
  readonly describe: Together<string, DescribedGroup>;
  readonly committed: Together<string, CommittedAnswer>;
}

/**
 * Requests about groups to their coordinators, without being their member. Groups of one coordinator share requests: a
 * worker that starts or takes over a thousand customers asks about all of them.
 */
export class GroupQuestions {
  readonly #coordinators: Coordinators;
  readonly #questions = new WeakMap<BrokerLink, Questions>();

  constructor(coordinators: Coordinators) {
    this.#coordinators = coordinators;
  }

  /** @throws {KafkaPortError} */
  async describe(groupId: string): Promise<DescribedGroup> {
    return await this.#ask('describe group', groupId, (questions) => questions.describe.of(groupId));
  }

  /** All offsets that the group has committed. @throws {KafkaPortError} */
  async committed(groupId: string): Promise<readonly CommittedOffset[]> {
    const asked = await this.#ask('read committed offsets of', groupId, (questions) => questions.committed.of(groupId));
    return asked.offsets;
  }

  async #ask<Answer extends { readonly errorCode: number }>(
    doing: string,
    groupId: string,
    ask: (questions: Questions) => Promise<Answer | undefined>,
  ): Promise<Answer> {
    const link = await this.#coordinators.linkOf(groupId);
    const answer = await ask(this.#questionsTo(link)).catch((error: unknown) => {
      this.#coordinators.forget(groupId);
      throw error;
    });
    const errorCode = answer?.errorCode ?? CODE.COORDINATOR_NOT_AVAILABLE;
    if (answer !== undefined && errorCode === CODE.NONE) return answer;
    if (isCoordinatorMove(errorCode)) this.#coordinators.forget(groupId);
    throw groupFailure(`${doing} ${groupId}`, errorCode);
  }

  #questionsTo(link: BrokerLink): Questions {
    const known = this.#questions.get(link);
    if (known) return known;
    const questions: Questions = {
      describe: new Together(async (groupIds) => await describeGroups(link.shared(), groupIds), MAX_GROUPS),
      committed: new Together(async (groupIds) => {
        const groups = await link.shared().send(fetchOffsets(groupIds));
        return new Map(groups.map(({ groupId, errorCode, offsets }) => [groupId, committedOf(errorCode, offsets)]));
      }, MAX_GROUPS),
    };
    this.#questions.set(link, questions);
    return questions;
  }
}

type Fetched = Omit<CommittedOffset, 'metadata'> & { readonly metadata: string | null; readonly errorCode: number };

function committedOf(groupCode: number, fetched: readonly Fetched[]): CommittedAnswer {
  const failed = fetched.find((one) => one.errorCode !== CODE.NONE);
  const errorCode = groupCode !== CODE.NONE ? groupCode : (failed?.errorCode ?? CODE.NONE);
  const offsets = fetched
    .map(({ topic, partition, offset, metadata }) => ({ topic, partition, offset, metadata: metadata ?? '' }))
    // kafkajs commits -2 and -1 if an offset was out of range.
    .filter(({ offset }) => offset >= 0);
  return { errorCode, offsets };
}
