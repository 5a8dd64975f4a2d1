// Builds Jaeger for "npm run test:ops". As a module of its own: "go install" refuses a module that has replace directives.
module databridge.events/jaeger

go 1.25.0

require github.com/jaegertracing/jaeger v1.76.0

tool github.com/jaegertracing/jaeger/cmd/jaeger
