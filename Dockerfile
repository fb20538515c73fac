# The images of Reprise, one target each:
#
#   docker build --target gateway -t reprise-gateway .
#
# gateway, lifecycle, provisioner, billing, deadletters: a service. It holds Node, the libraries that Node needs, the service's compiled code
#   and its production dependencies; no shell, no package manager (docs/adr/0020). Runs as user 1000, and with a read-only root.
# setup: the `reprise` command, the definitions that it applies, and every service's migrations.
# agent: what runs in a pod. Its /reprise runs in any other image, too, whatever that one's C library (docs/adr/0020).
#
# Written for the legacy builder as for BuildKit.
ARG NODE_IMAGE=node:24-bookworm-slim
ARG SHELL_IMAGE=debian:bookworm-slim

# ---- Dependencies: the lock file, and nothing that changes with the code
FROM ${NODE_IMAGE} AS dependencies
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
COPY libs/contracts/package.json libs/contracts/
COPY libs/messaging/package.json libs/messaging/
COPY libs/platform/package.json libs/platform/
COPY services/gateway/package.json services/gateway/
COPY services/lifecycle/package.json services/lifecycle/
COPY services/provisioner/package.json services/provisioner/
COPY services/billing/package.json services/billing/
COPY services/deadletters/package.json services/deadletters/
COPY runtime/agent/package.json runtime/agent/
COPY cli/package.json cli/
COPY test/package.json test/
COPY bench/package.json bench/
# .npmrc says ignore-scripts: no package runs anything here.
RUN npm ci

# ---- The code, compiled
FROM dependencies AS build
COPY tsconfig.json tsconfig.base.json ./
COPY libs libs
COPY services services
COPY runtime runtime
COPY cli cli
RUN npm run build && find libs services cli -path '*/dist/*' -name '*.d.ts*' -not -path '*/node_modules/*' -delete

# ---- Production dependencies, by service. What npm has downloaded above is not downloaded again.
FROM dependencies AS production
COPY deploy/images/prune.sh /usr/local/bin/prune-modules
RUN rm -rf node_modules */*/node_modules cli/node_modules

FROM production AS gateway-modules
RUN npm ci --prefer-offline --omit=dev --omit=optional --workspace services/gateway && sh /usr/local/bin/prune-modules
FROM production AS lifecycle-modules
RUN npm ci --prefer-offline --omit=dev --omit=optional --workspace services/lifecycle && sh /usr/local/bin/prune-modules
FROM production AS provisioner-modules
RUN npm ci --prefer-offline --omit=dev --omit=optional --workspace services/provisioner && sh /usr/local/bin/prune-modules
FROM production AS billing-modules
RUN npm ci --prefer-offline --omit=dev --omit=optional --workspace services/billing && sh /usr/local/bin/prune-modules
FROM production AS deadletters-modules
RUN npm ci --prefer-offline --omit=dev --omit=optional --workspace services/deadletters && sh /usr/local/bin/prune-modules
# Migrations need nothing that the command does not.
FROM production AS setup-modules
RUN npm ci --prefer-offline --omit=dev --omit=optional --workspace cli && sh /usr/local/bin/prune-modules

# ---- Node and what it is linked with, and no more of an operating system than that
FROM ${NODE_IMAGE} AS runtime
COPY deploy/images/runtime.sh /usr/local/bin/copy-runtime
RUN sh /usr/local/bin/copy-runtime /runtime /agent/reprise

FROM scratch AS service
COPY --from=runtime /runtime /
COPY deploy/images/healthcheck.js /app/
# The size of V8's young generation: scripts/lib/service-env.mjs says why.
ENV PATH=/usr/local/bin NODE_ENV=production NODE_OPTIONS=--max-semi-space-size=4 HTTP_HOST=0.0.0.0 METRICS_HOST=0.0.0.0
WORKDIR /app
USER 1000:1000
EXPOSE 8080 9464
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=5s --start-period=120s --retries=3 CMD ["node", "/app/healthcheck.js"]

# ---- The services
FROM service AS gateway
COPY --from=gateway-modules /build /app
COPY --from=build /build/libs /app/libs
COPY --from=build /build/services/gateway/dist /app/services/gateway/dist
CMD ["node", "services/gateway/dist/main.js"]

FROM service AS lifecycle
COPY --from=lifecycle-modules /build /app
COPY --from=build /build/libs /app/libs
COPY --from=build /build/services/lifecycle/dist /app/services/lifecycle/dist
CMD ["node", "services/lifecycle/dist/main.js"]

FROM service AS provisioner
COPY --from=provisioner-modules /build /app
COPY --from=build /build/libs /app/libs
COPY --from=build /build/services/provisioner/dist /app/services/provisioner/dist
# A volume that is mounted here for the first time belongs to the service.
COPY --from=runtime --chown=1000:1000 /empty /var/lib/reprise/snapshots
CMD ["node", "services/provisioner/dist/main.js"]

FROM service AS billing
COPY --from=billing-modules /build /app
COPY --from=build /build/libs /app/libs
COPY --from=build /build/services/billing/dist /app/services/billing/dist
CMD ["node", "services/billing/dist/main.js"]

FROM service AS deadletters
COPY --from=deadletters-modules /build /app
COPY --from=build /build/libs /app/libs
COPY --from=build /build/services/deadletters/dist /app/services/deadletters/dist
CMD ["node", "services/deadletters/dist/main.js"]

# ---- The command and the migrations
FROM scratch AS setup
COPY --from=runtime /runtime /
COPY --from=setup-modules /build /app
COPY --from=build /build/libs /app/libs
COPY --from=build /build/cli/dist /app/cli/dist
COPY --from=build /build/services/lifecycle/dist /app/services/lifecycle/dist
COPY --from=build /build/services/provisioner/dist /app/services/provisioner/dist
COPY --from=build /build/services/billing/dist /app/services/billing/dist
COPY --from=build /build/services/deadletters/dist /app/services/deadletters/dist
COPY deploy /app/deploy
# For `reprise restore`, which may be the first to mount a volume here.
COPY --from=runtime --chown=1000:1000 /empty /var/lib/reprise/snapshots
ENV PATH=/usr/local/bin NODE_ENV=production
WORKDIR /app
USER 1000:1000
HEALTHCHECK NONE
ENTRYPOINT ["node", "cli/dist/main.js"]
CMD ["--help"]

# ---- The program inside a pod
FROM ${SHELL_IMAGE} AS agent
COPY --from=runtime /agent /
COPY --from=build /build/runtime/agent/dist/agent.js /reprise/agent.js
RUN ln -s /reprise/bin/node /usr/local/bin/node && mkdir /workspace && chown 1000:1000 /workspace \
    && echo 'agent:x:1000:1000:agent:/workspace:/bin/sh' >> /etc/passwd && echo 'agent:x:1000:' >> /etc/group
ENV HOME=/workspace
WORKDIR /workspace
USER 1000:1000
CMD ["node", "/reprise/agent.js"]
