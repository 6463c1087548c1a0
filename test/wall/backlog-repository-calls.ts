import { WebhookBacklogRepository, type LostBacklog } from '../../src/webhook/webhook-backlog.repository.js';
import type { CallScene, CallsOf, RepositoryUnderTest } from './repository-calls.js';

const waitingBacklog = ({ of }: CallScene): LostBacklog => ({
  orgcode: of.orgcode,
  webhookId: of.webhookId,
  pausedAt: new Date(),
  after: 0n,
  oldestAt: null,
  droppedTo: 7n,
});
const paused = async ({ db, of }: CallScene): Promise<void> => {
  await db.$executeRaw`update webhook set status = 'paused', paused_after = 0 where lane = ${of.lane}`;
};

const backlogCalls: CallsOf<WebhookBacklogRepository> = {
  endangered: {
    system: true,
    run: async (backlogs, scene) => {
      await paused(scene);
      return backlogs.endangered(scene.db, 5_000_000n, 10);
    },
  },
  noteWarned: {
    run: async (backlogs, scene) => {
      await paused(scene);
      return backlogs.noteWarned(scene.db, waitingBacklog(scene), 7n);
    },
  },
  robbed: {
    system: true,
    run: async (backlogs, scene) => {
      await paused(scene);
      await scene.db.$executeRaw`update org_head set dropped_to = 7 where orgcode = ${scene.of.orgcode}`;
      return backlogs.robbed(scene.db, 10);
    },
  },
  noteLost: {
    run: async (backlogs, scene) => {
      await paused(scene);
      return backlogs.noteLost(scene.db, waitingBacklog(scene), new Date());
    },
  },
};

export const backlogRepositories: Readonly<Record<string, RepositoryUnderTest>> = {
  WebhookBacklogRepository: { make: () => new WebhookBacklogRepository(), calls: backlogCalls },
};
