package flow

import (
	"encoding/json"

	"parley/conversation/effect"
)

// Schema is a JSON Schema of bot.yaml and of flows, for editors: docs/flow.schema.json. It is made from the fields that Load
// reads, so the two cannot part.
func Schema() ([]byte, error) {
	s := object{
		"$schema":     "https://json-schema.org/draft/2020-12/schema",
		"title":       "Parley flow",
		"description": "A flow of a Parley bot, or its bot.yaml.",
		"oneOf":       []any{ref("flow"), ref("bot")},
		"$defs": object{
			"name":   object{"type": "string", "pattern": validName.String()},
			"target": object{"type": "string", "pattern": `^[a-z0-9][a-z0-9_-]*(\.[a-z0-9][a-z0-9_-]*)?$`, "description": "a state, a flow, or flow.state"},
			"text": object{
				"description": "a Liquid template per language",
				"oneOf": []any{
					object{"type": "object", "properties": languages(object{"type": "string"}), "additionalProperties": false, "minProperties": 1},
					object{"type": "string"},
				},
			},
			"template": object{"type": []any{"string", "number", "boolean"}, "description": "a Liquid template for every language"},
			"bot":      mapping(BotFields),
			"flow":     mapping(FlowFields),
			"state":    mapping(StateFields),
			"choice":   mapping(ChoiceFields),
			"effect":   effects(),
		},
	}
	b, err := json.MarshalIndent(s, "", "  ")
	return append(b, '\n'), err
}

type object = map[string]any

func ref(name string) object { return object{"$ref": "#/$defs/" + name} }

func languages(value object) object {
	all := object{}
	for _, l := range spoken {
		all[l] = value
	}
	return all
}

func mapping(fields []Field) object {
	properties, required := object{}, []string{}
	for _, f := range fields {
		value := f.shape.schema()
		value["description"] = f.Doc
		properties[f.Name] = value
		if f.Required {
			required = append(required, f.Name)
		}
	}
	return object{"type": "object", "properties": properties, "required": required, "additionalProperties": false}
}

func (s shape) schema() object {
	values := func(value object) object { return object{"type": "object", "additionalProperties": value} }
	switch s {
	case aName:
		return object{"allOf": []any{ref("target")}}
	case aText:
		return object{"allOf": []any{ref("text")}}
	case aTemplate:
		return object{"allOf": []any{ref("template")}}
	case aBool:
		return object{"type": "boolean"}
	case aClass:
		return object{"enum": Classes}
	case nameList:
		return object{"type": "array", "items": object{"enum": spoken}, "minItems": 1, "uniqueItems": true}
	case begins:
		return object{"oneOf": []any{object{"type": "array", "items": ref("name")}, values(ref("name")), ref("name")}}
	case targets:
		return values(ref("target"))
	case timers:
		return object{"type": "object", "patternProperties": object{`^([0-9]+d|([0-9.]+(h|m|s))+)$`: ref("target")}, "additionalProperties": false}
	case assigns:
		return values(ref("template"))
	case anEffect:
		return object{"allOf": []any{ref("effect")}}
	case choiceList:
		return object{"type": "array", "items": object{"oneOf": []any{ref("name"), ref("choice")}}}
	case stateMap:
		return object{"type": "object", "additionalProperties": ref("state"), "propertyNames": ref("name"), "minProperties": 1}
	case phraseMap:
		return values(object{"type": "object", "properties": languages(object{"type": "array", "items": object{"type": "string"}}), "additionalProperties": false})
	case labelMap:
		return values(ref("text"))
	}
	return object{"type": "string"}
}

// effects are a name alone, or a name with arguments.
func effects() object {
	var all []string
	given := object{}
	for _, spec := range effect.All {
		all = append(all, spec.Name)
		args := object{}
		required := []string{}
		for _, a := range spec.Args {
			args[a.Name] = object{"allOf": []any{ref("template")}, "description": a.Doc}
			if a.Required {
				required = append(required, a.Name)
			}
		}
		given[spec.Name] = object{"type": "object", "description": spec.Doc, "properties": args, "required": required, "additionalProperties": false}
	}
	return object{"oneOf": []any{
		object{"enum": all},
		object{"type": "object", "properties": given, "additionalProperties": false, "minProperties": 1, "maxProperties": 1},
	}}
}
