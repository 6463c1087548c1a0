import { defineErrors } from '../platform/errors/error-catalog.js';

export const operationErrors = defineErrors({
  notFound: {
    tag: 'operation_run_not_found',
    major: 'not_found',
    status: 404,
    message: 'There is no such operation run, or it is none of those that this credential may see.',
  },
});
