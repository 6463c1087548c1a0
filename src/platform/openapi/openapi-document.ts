import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { buildInfo } from '../config/build-info.js';

const DESCRIPTION = `Events come in once and leave as signed webhooks, a change feed, bulk files, KPIs and alerts, for many organisations
that never see each other.

Send one credential (\`x-api-key\`, \`x-session-guid\` or a bearer token) and the header \`x-orgcode\`. Every answer has the same
envelope; errors carry a stable \`error_code\` and say what to do next. What is beyond the contract is marked \`x-ipm-extension\`.`;

/** The served document: paths below the server's /ipm, as in the contract. */
export function openApiDocument(app: NestFastifyApplication, publicUrl: string): OpenAPIObject {
  const builder = new DocumentBuilder()
    .setTitle('IPM API')
    .setDescription(DESCRIPTION)
    .setVersion(`${buildInfo.build_major}.${buildInfo.build_minor}`)
    .setOpenAPIVersion('3.1.0')
    .addServer(`${publicUrl}/ipm`)
    .addApiKey({ type: 'apiKey', in: 'header', name: 'x-session-guid' }, 'sessionAuth')
    .addApiKey({ type: 'apiKey', in: 'header', name: 'x-api-key' }, 'apiKeyAuth')
    .addBearerAuth({ type: 'http', scheme: 'bearer', 'x-ipm-extension': true } as never, 'bearerAuth')
    .addSecurityRequirements('sessionAuth')
    .addSecurityRequirements('apiKeyAuth')
    .addSecurityRequirements('bearerAuth');
  const document = SwaggerModule.createDocument(app, builder.build(), { ignoreGlobalPrefix: true });
  for (const [path, { get, post }] of Object.entries(document.paths)) {
    if (post) sayWhetherBodyIsRequired(document, post);
    if (path.startsWith('/api/')) for (const one of [get, post]) if (one) one.servers = [{ url: publicUrl }]; // beside /ipm
  }
  return document;
}

type OperationObject = NonNullable<OpenAPIObject['paths'][string]['post']>;

/** Nest calls every body required; no body is as good as `{}`, so one is required where its shape requires a property. */
function sayWhetherBodyIsRequired({ components }: OpenAPIObject, { requestBody }: OperationObject): void {
  if (!requestBody || '$ref' in requestBody) return;
  const shape = requestBody.content['application/json']?.schema;
  const name = shape && '$ref' in shape ? shape.$ref.split('/').at(-1) : undefined;
  const schema = name === undefined ? shape : components?.schemas?.[name];
  requestBody.required = schema !== undefined && 'required' in schema && (schema.required ?? []).length > 0;
}

/** Swagger UI at /docs, the document at /openapi.json. Made when first asked for: most processes never are. */
export function serveDocuments(app: NestFastifyApplication, publicUrl: string): void {
  SwaggerModule.setup('docs', app, () => openApiDocument(app, publicUrl), {
    jsonDocumentUrl: 'openapi.json',
    yamlDocumentUrl: 'openapi.yaml',
    customSiteTitle: 'IPM API',
    swaggerOptions: { persistAuthorization: true, tryItOutEnabled: true },
  });
}
