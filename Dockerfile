# Parley as one static binary in an image that holds nothing else.
# The binary reads its own zone data; certificate authorities come from the build stage.
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o /out/parley . \
	&& mkdir -p /out/data /out/tmp /out/etc/parley

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/parley /parley
COPY --from=build --chown=65532:65532 /out/data /data
# SQLite spills large sorts here.
COPY --from=build --chown=65532:65532 /out/tmp /tmp
USER 65532:65532
WORKDIR /data
VOLUME /data
EXPOSE 8080
# No HEALTHCHECK: there is no shell or curl in here to run one. Ask GET /readyz from outside, as every orchestrator can.
STOPSIGNAL SIGTERM
ENTRYPOINT ["/parley"]
CMD ["serve", "-config", "/etc/parley/parley.yaml"]
