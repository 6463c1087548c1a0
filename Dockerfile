# The one image of every role: IPM_ROLE chooses api, worker or all; `ipm` is on the PATH.
#   docker build --build-arg IPM_BUILD_ID=$(git rev-parse --short HEAD) --tag ipm .

FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
# No install script is needed to compile; none runs, then none can do harm.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY prisma.config.ts tsconfig.json ./
COPY scripts scripts
COPY prisma prisma
COPY src src
ARG IPM_BUILD_ID=unknown
RUN npm run build

FROM node:24-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json ./
# `optional` as well: npm counts Prisma's command line and TypeScript, optional peers of its client, among the others otherwise.
# The client brings a query compiler for each kind of database; ours is Postgres.
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund \
 && rm node_modules/@prisma/client/runtime/*.mysql.* node_modules/@prisma/client/runtime/*.sqlite.* \
       node_modules/@prisma/client/runtime/*.sqlserver.* node_modules/@prisma/client/runtime/*.cockroachdb.*

FROM node:24-bookworm-slim
WORKDIR /app
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000
COPY package.json LICENSE* ./
COPY --from=packages /app/node_modules node_modules
COPY catalog catalog
COPY prisma/migrations prisma/migrations
COPY bin bin
COPY --from=build /app/dist dist
# A folder that belongs to who serves: a volume mounted here for IPM_SECRETS_FILE takes over its owner.
RUN ln -s /app/bin/ipm.mjs /usr/local/bin/ipm && install -d -o node -g node -m 0700 /var/lib/ipm
USER 1000:1000
EXPOSE 3000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health/ready`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "--max-semi-space-size=8", "--heap-growing-percent=60", "dist/main.js"]
