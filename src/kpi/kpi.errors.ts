import { defineErrors } from '../platform/errors/error-catalog.js';

export const kpiErrors = defineErrors({
  invalid: {
    tag: 'kpi_invalid',
    major: 'validation',
    status: 400,
    message: 'The figure breaks a rule; details.fields names which.',
  },
  reserved: {
    tag: 'kpi_code_reserved',
    major: 'validation',
    status: 400,
    message: 'KPIs whose code begins with ipm. are recorded by IPM itself; choose another code.',
  },
  notFound: {
    tag: 'kpi_not_found',
    major: 'not_found',
    status: 404,
    message: 'Nothing is recorded for this bucket yet; send it without expected_revision.',
  },
  idTaken: {
    tag: 'kpi_id_taken',
    major: 'conflict',
    status: 409,
    message: 'That kpi_id belongs to another bucket, or the bucket has another kpi_id; leave it out.',
  },
  repeated: {
    tag: 'kpi_repeated',
    major: 'conflict',
    status: 409,
    message: 'The batch names this bucket twice; only the first one counts.',
  },
  tooManySeries: {
    tag: 'too_many_kpi_series',
    major: 'conflict',
    status: 409,
    message: 'This KPI has as many channels and dimensions at this place as it may; details.max says how many.',
  },
  notBreached: {
    tag: 'threshold_not_breached',
    major: 'validation',
    status: 422,
    message: 'The value does not breach the threshold, so there is nothing to alert about.',
  },
  alertExists: {
    tag: 'kpi_alert_exists',
    major: 'conflict',
    status: 409,
    message: 'An alert of that id exists; kpi/alert/get shows it.',
  },
  alertNotFound: {
    tag: 'kpi_alert_not_found',
    major: 'not_found',
    status: 404,
    message: 'There is no alert of that id; kpi/alert/list names those that there are.',
  },
  ruleInvalid: {
    tag: 'kpi_rule_invalid',
    major: 'validation',
    status: 400,
    message: 'The rule cannot be kept to; details.fields says why.',
  },
  ruleExists: {
    tag: 'kpi_rule_exists',
    major: 'conflict',
    status: 409,
    message: 'A rule of that id exists; choose another id.',
  },
  ruleNotFound: {
    tag: 'kpi_rule_not_found',
    major: 'not_found',
    status: 404,
    message: 'There is no rule of that id; kpi/rule/list names those that there are.',
  },
  tooManyRules: {
    tag: 'too_many_kpi_rules',
    major: 'conflict',
    status: 409,
    message: 'The organisation has as many rules as it may; delete some. details.max says how many.',
  },
  rollupExists: {
    tag: 'kpi_rollup_exists',
    major: 'conflict',
    status: 409,
    message: 'A rollup of that id was ordered before; choose another id.',
  },
  rollupNotFound: {
    tag: 'kpi_rollup_not_found',
    major: 'not_found',
    status: 404,
    message: 'There is no rollup of that id.',
  },
  tooManyRollups: {
    tag: 'too_many_kpi_rollups',
    major: 'conflict',
    status: 409,
    retryable: true,
    message: 'The organisation has as many rollups waiting as it may; wait for them. details.max says how many.',
  },
});
