# Millrace with its sample project. Build: docker build -t millrace .   One process on its own: docker run -p 127.0.0.1:4000:4000
# -e MILLRACE_API_ADMIN_SECRET=… -v millrace:/data millrace   Several: docker compose up (docker-compose.yml).
FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY . .
RUN npm run build \
  && npm prune --omit=dev \
  # This image has the Node that these packages would bring.
  && rm -rf node_modules/node-linux-* node_modules/.bin/node

FROM node:24-slim
ENV NODE_ENV=production \
    MILLRACE_ENV=production \
    MILLRACE_PROJECT_FOLDER=/app \
    MILLRACE_DATA_FOLDER=/data \
    MILLRACE_PUBLISHED_FOLDER=/data/published \
    MILLRACE_API_HOST=0.0.0.0 \
    MILLRACE_API_PORT=4000
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/scripts/lib/node.mjs ./scripts/lib/
COPY --from=build /app/bin ./bin
COPY --from=build /app/config ./config
COPY --from=build /app/prisma/migrations ./prisma/migrations
COPY --from=build /app/jobs ./jobs
COPY --from=build /app/dist ./dist
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 4000
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s CMD ["node", "/app/bin/health.mjs", "http://127.0.0.1:4000/health/ready"]
ENTRYPOINT ["node", "/app/bin/millrace.mjs"]
CMD ["serve"]
