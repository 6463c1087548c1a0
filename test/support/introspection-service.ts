import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface IntrospectionCall {
  method: string | undefined;
  url: string | undefined;
  headers: IncomingHttpHeaders;
  body: unknown;
}

type Behaviour = (response: ServerResponse, sessionGuid: string) => void;

/** An identity service that vouches for sessions, as SESSION_INTROSPECTION_URL names one. */
export class IntrospectionService {
  readonly calls: IntrospectionCall[] = [];
  /** Sessions by GUID, as answered; any other is inactive. */
  readonly sessions = new Map<string, object>();
  behaviour: Behaviour = (response, guid) => answerJson(response, this.sessions.get(guid) ?? { active: false });

  private constructor(private readonly server: Server) {
    server.on('request', (request, response: ServerResponse) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { session_guid: string };
        this.calls.push({ method: request.method, url: request.url, headers: request.headers, body });
        this.behaviour(response, body.session_guid);
      });
    });
  }

  static async start(): Promise<IntrospectionService> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new IntrospectionService(server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/introspect?v=1`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    if (this.server.listening) await once(this.server, 'close');
  }
}

export function answerJson(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
