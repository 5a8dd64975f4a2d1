/** Written by `npm run schemas` from schemas/avro: the pinned schema of each event type, as its file has it. */
export const PINNED_SCHEMAS: Readonly<Record<string, string>> = {
  notice: `{
  "type": "record",
  "name": "Notice",
  "namespace": "databridge.events",
  "doc": "An operational notice: what changed about the deliveries to a customer. It contains no payload of an event and no secret.",
  "fields": [
    {
      "name": "schema_version",
      "type": "string",
      "doc": "The version of the document that receivers get: always \\"v1.0\\", whatever newer schema the notice was written with.",
      "constant": "v1.0"
    },
    {
      "name": "noticeid",
      "type": "string",
      "doc": "What the notice is about: the same when it is raised, when its level rises, and when it is resolved."
    },
    {
      "name": "company",
      "type": "string",
      "doc": "The name of the customer, or \\"operators\\" for what concerns no one customer. Notices are routed by it."
    },
    {
      "name": "kind",
      "type": "string",
      "doc": "Such as \\"disabled\\", \\"held\\", \\"behind\\", \\"budget\\", \\"dead-letters\\", \\"certificate\\", \\"not-running\\", \\"quarantine\\". Others may be added."
    },
    {
      "name": "state",
      "type": "string",
      "doc": "\\"raised\\" or \\"resolved\\"."
    },
    {
      "name": "severity",
      "type": "string",
      "doc": "\\"information\\", \\"warning\\" or \\"critical\\"."
    },
    {
      "name": "since",
      "type": {
        "type": "long",
        "logicalType": "timestamp-millis"
      },
      "doc": "When the condition began."
    },
    {
      "name": "at",
      "type": {
        "type": "long",
        "logicalType": "timestamp-millis"
      },
      "doc": "When the notice was written."
    },
    {
      "name": "text",
      "type": "string",
      "doc": "What happened and what to do, for people."
    },
    {
      "name": "customers",
      "type": {
        "type": "array",
        "items": "string"
      },
      "doc": "The customers that the notice concerns, at most 100 of them: several if many changed at the same time."
    },
    {
      "name": "customer_count",
      "type": "int",
      "doc": "How many customers the notice concerns in all."
    }
  ]
}
`,
  'root-cause': `{
  "type": "record",
  "name": "RootCause",
  "namespace": "databridge.events",
  "doc": "Root Cause Event Schema 1.0: what the analysis of one call found. A section that does not apply to the call is absent. \\"name inferred\\": the name or its meaning is not published; it follows its neighbours.",
  "fields": [
    {
      "name": "schema_version",
      "type": "string",
      "doc": "The version of the document that receivers get: always \\"v1.0\\", whatever newer schema a producer wrote with.",
      "constant": "v1.0"
    },
    {
      "name": "statusCode",
      "type": "int",
      "doc": "The result of the analysis, HTTP-like: 200."
    },
    {
      "name": "summary",
      "type": [
        "null",
        {
          "type": "record",
          "name": "Summary",
          "doc": "The summary of the call.",
          "fields": [
            {
              "name": "filename",
              "type": "string",
              "doc": "The recording's file name: a UUID and \\".wav\\"."
            },
            {
              "name": "requestid",
              "type": "string",
              "doc": "The request that asked for the analysis: a UUID."
            },
            {
              "name": "company",
              "type": "string",
              "doc": "The customer's company, such as \\"ACME Corporation\\". Events are routed by it."
            },
            {
              "name": "organisation",
              "type": "string",
              "doc": "The part of the company, such as \\"North America\\". Events are routed by it."
            },
            {
              "name": "folder",
              "type": "string",
              "doc": "The folder that the call is filed in, such as \\"Support\\". Events are routed by it."
            },
            {
              "name": "processed",
              "type": "boolean",
              "doc": "Whether the analysis ran."
            },
            {
              "name": "process_result",
              "type": "string",
              "doc": "How the analysis ended, such as \\"Complete\\"."
            },
            {
              "name": "call_summary",
              "type": [
                "null",
                {
                  "type": "record",
                  "name": "CallSummary",
                  "doc": "What was said, in short. (name inferred)",
                  "fields": [
                    {
                      "name": "classifier",
                      "type": "string",
                      "doc": "Always \\"summary\\"."
                    },
                    {
                      "name": "summary",
                      "type": "string",
                      "doc": "The summary, in words."
                    },
                    {
                      "name": "multiple_summary_flag",
                      "type": "int",
                      "doc": "0 if this is the only summary of the call."
                    }
                  ]
                }
              ],
              "doc": "What was said, in short. (name inferred)",
              "default": null
            }
          ]
        }
      ],
      "doc": "The summary of the call.",
      "default": null
    },
    {
      "name": "clientwords",
      "type": [
        "null",
        "string"
      ],
      "doc": "The transcript, with placeholders for what is redacted.",
      "default": null
    },
    {
      "name": "intent",
      "type": [
        "null",
        {
          "type": "record",
          "name": "Intent",
          "doc": "Why the customer called.",
          "fields": [
            {
              "name": "filename",
              "type": "string",
              "doc": "The recording's file name: a UUID and \\".wav\\"."
            },
            {
              "name": "requestid",
              "type": "string",
              "doc": "The request that asked for the analysis: a UUID."
            },
            {
              "name": "company",
              "type": "string",
              "doc": "The customer's company, such as \\"ACME Corporation\\". Events are routed by it."
            },
            {
              "name": "organisation",
              "type": "string",
              "doc": "The part of the company, such as \\"North America\\". Events are routed by it."
            },
            {
              "name": "folder",
              "type": "string",
              "doc": "The folder that the call is filed in, such as \\"Support\\". Events are routed by it."
            },
            {
              "name": "processed",
              "type": "boolean",
              "doc": "Whether the analysis ran."
            },
            {
              "name": "process_result",
              "type": "string",
              "doc": "How the analysis ended, such as \\"Complete\\"."
            },
            {
              "name": "call_intent",
              "type": [
                "null",
                {
                  "type": "record",
                  "name": "CallIntent",
                  "doc": "What the analysis says about why the customer called. (name inferred)",
                  "fields": [
                    {
                      "name": "classifier",
                      "type": "string",
                      "doc": "Always \\"intent\\"."
                    },
                    {
                      "name": "identified_intent",
                      "type": "boolean",
                      "doc": "Whether the analysis found an intent."
                    },
                    {
                      "name": "reason",
                      "type": "string",
                      "doc": "The reason, in words."
                    },
                    {
                      "name": "dimension_category_id",
                      "type": [
                        "null",
                        "string"
                      ],
                      "doc": "The category's id, if it has one."
                    },
                    {
                      "name": "category_name",
                      "type": "string",
                      "doc": "The category, such as \\"support\\"."
                    },
                    {
                      "name": "sub_category",
                      "type": "string",
                      "doc": "The category's subdivision, such as \\"update address\\". (name inferred)",
                      "default": ""
                    },
                    {
                      "name": "classification_version",
                      "type": "string",
                      "doc": "The version of the classification, such as \\"vi8\\". (name inferred)",
                      "default": ""
                    }
                  ]
                }
              ],
              "doc": "What the analysis says about why the customer called. (name inferred)",
              "default": null
            }
          ]
        }
      ],
      "doc": "Why the customer called.",
      "default": null
    },
    {
      "name": "dissatisfaction",
      "type": [
        "null",
        {
          "type": "record",
          "name": "Dissatisfaction",
          "doc": "Whether the customer was dissatisfied, and why.",
          "fields": [
            {
              "name": "filename",
              "type": "string",
              "doc": "The recording's file name: a UUID and \\".wav\\"."
            },
            {
              "name": "requestid",
              "type": "string",
              "doc": "The request that asked for the analysis: a UUID."
            },
            {
              "name": "company",
              "type": "string",
              "doc": "The customer's company, such as \\"ACME Corporation\\". Events are routed by it."
            },
            {
              "name": "organisation",
              "type": "string",
              "doc": "The part of the company, such as \\"North America\\". Events are routed by it."
            },
            {
              "name": "folder",
              "type": "string",
              "doc": "The folder that the call is filed in, such as \\"Support\\". Events are routed by it."
            },
            {
              "name": "processed",
              "type": "boolean",
              "doc": "Whether the analysis ran."
            },
            {
              "name": "process_result",
              "type": "string",
              "doc": "How the analysis ended, such as \\"Complete\\"."
            },
            {
              "name": "call_dissatisfaction",
              "type": [
                "null",
                {
                  "type": "record",
                  "name": "CallDissatisfaction",
                  "doc": "What the analysis says about the customer's dissatisfaction. (name inferred)",
                  "fields": [
                    {
                      "name": "classifier",
                      "type": "string",
                      "doc": "Always \\"dissatisfaction\\". (name inferred)",
                      "default": "dissatisfaction"
                    },
                    {
                      "name": "identified_dissatisfaction",
                      "type": "boolean",
                      "doc": "Whether the analysis found dissatisfaction. (name inferred)",
                      "default": false
                    },
                    {
                      "name": "reason",
                      "type": "string",
                      "doc": "The reason, in words. (name inferred)",
                      "default": ""
                    },
                    {
                      "name": "dimension_category_id",
                      "type": [
                        "null",
                        "string"
                      ],
                      "doc": "The category's id, if it has one. (name inferred)",
                      "default": null
                    },
                    {
                      "name": "category_name",
                      "type": "string",
                      "doc": "The category, such as \\"support\\". (name inferred)",
                      "default": ""
                    },
                    {
                      "name": "sub_category",
                      "type": "string",
                      "doc": "The category's subdivision, such as \\"update address\\". (name inferred)",
                      "default": ""
                    },
                    {
                      "name": "classification_version",
                      "type": "string",
                      "doc": "The version of the classification, such as \\"vi8\\". (name inferred)",
                      "default": ""
                    }
                  ]
                }
              ],
              "doc": "What the analysis says about the customer's dissatisfaction. (name inferred)",
              "default": null
            }
          ]
        }
      ],
      "doc": "Whether the customer was dissatisfied, and why.",
      "default": null
    },
    {
      "name": "callback",
      "type": [
        "null",
        {
          "type": "record",
          "name": "Callback",
          "doc": "Whether the customer must be called back, and why.",
          "fields": [
            {
              "name": "filename",
              "type": "string",
              "doc": "The recording's file name: a UUID and \\".wav\\". (name inferred)",
              "default": ""
            },
            {
              "name": "requestid",
              "type": "string",
              "doc": "The request that asked for the analysis: a UUID. (name inferred)",
              "default": ""
            },
            {
              "name": "company",
              "type": "string",
              "doc": "The customer's company, such as \\"ACME Corporation\\". Events are routed by it. (name inferred)",
              "default": ""
            },
            {
              "name": "organisation",
              "type": "string",
              "doc": "The part of the company, such as \\"North America\\". Events are routed by it. (name inferred)",
              "default": ""
            },
            {
              "name": "folder",
              "type": "string",
              "doc": "The folder that the call is filed in, such as \\"Support\\". Events are routed by it. (name inferred)",
              "default": ""
            },
            {
              "name": "processed",
              "type": "boolean",
              "doc": "Whether the analysis ran. (name inferred)",
              "default": false
            },
            {
              "name": "process_result",
              "type": "string",
              "doc": "How the analysis ended, such as \\"Complete\\". (name inferred)",
              "default": ""
            },
            {
              "name": "call_callback",
              "type": [
                "null",
                {
                  "type": "record",
                  "name": "CallCallback",
                  "doc": "What the analysis says about the need to call the customer back. (name inferred)",
                  "fields": [
                    {
                      "name": "classifier",
                      "type": "string",
                      "doc": "Always \\"callback\\". (name inferred)",
                      "default": "callback"
                    },
                    {
                      "name": "identified_callback",
                      "type": "boolean",
                      "doc": "Whether the analysis found that a callback is due. (name inferred)",
                      "default": false
                    },
                    {
                      "name": "reason",
                      "type": "string",
                      "doc": "The reason, in words. (name inferred)",
                      "default": ""
                    },
                    {
                      "name": "dimension_category_id",
                      "type": [
                        "null",
                        "string"
                      ],
                      "doc": "The category's id, if it has one. (name inferred)",
                      "default": null
                    },
                    {
                      "name": "category_name",
                      "type": "string",
                      "doc": "The category, such as \\"support\\". (name inferred)",
                      "default": ""
                    },
                    {
                      "name": "sub_category",
                      "type": "string",
                      "doc": "The category's subdivision, such as \\"update address\\". (name inferred)",
                      "default": ""
                    },
                    {
                      "name": "classification_version",
                      "type": "string",
                      "doc": "The version of the classification, such as \\"vi8\\". (name inferred)",
                      "default": ""
                    }
                  ]
                }
              ],
              "doc": "What the analysis says about the need to call the customer back. (name inferred)",
              "default": null
            }
          ]
        }
      ],
      "doc": "Whether the customer must be called back, and why.",
      "default": null
    }
  ]
}
`,
};
