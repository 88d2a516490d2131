import {GraphQLError, KnownTypeNamesRule, specifiedRules} from 'graphql';
import type {ValidationRule} from 'graphql';
import {didYouMean} from '../../core/errors.ts';

/** The specification's rule. graphql-js's lists the names of all types for every document, which would make all types. */
const knownTypeNames: ValidationRule = context => ({
  NamedType(node) {
    const schema = context.getSchema();
    const name = node.name.value;
    if (schema.getType(name)) return;
    // As many types as there are, a dataset's name is the part that is misspelt.
    const fields = Object.keys(schema.getQueryType()!.getFields());
    const near = fields.flatMap(field => ['', '_bool_exp', '_order_by'].map(ending => `${field}${ending}`)).filter(candidate => Math.abs(candidate.length - name.length) <= 2 && schema.getType(candidate));
    context.reportError(new GraphQLError(`Unknown type "${name}". ${didYouMean(name, near)}`.trim(), {nodes: node}));
  },
});

export const validationRules: readonly ValidationRule[] = specifiedRules.map(rule => (rule === KnownTypeNamesRule ? knownTypeNames : rule));
