// What Fastify costs by itself to take a batch of events: the body parsed, a short answer; nothing checked, nothing kept.
import fastify from 'fastify';

const app = fastify({ bodyLimit: 8 * 1024 * 1024 });
app.get('/health/ready', async () => ({}));
app.post('/ipm/event/publish', async ({ body }) => ({ data: { accepted: body.events.length, duplicate: 0 } }));
await app.listen({ port: Number(process.env.PORT), host: '127.0.0.1' });
process.on('SIGTERM', () => process.exit(0));
