import { defineErrors } from '../errors/error-catalog.js';

/** What the signed URLs of a folder are refused with. */
export const fileErrors = defineErrors({
  linkInvalid: {
    tag: 'file_link_invalid',
    major: 'authorization',
    status: 403,
    message: 'This URL was changed, is for another method, or its time is over; ask for a new one.',
  },
  contentTypeDiffers: {
    tag: 'file_content_type_differs',
    major: 'authorization',
    status: 403,
    message: 'Send exactly the content type that was agreed; details.content_type names it.',
  },
  lengthRequired: {
    tag: 'file_length_required',
    major: 'validation',
    status: 411,
    message: 'Send the length of the file in Content-Length.',
  },
  uploadBroken: {
    tag: 'file_upload_broken',
    major: 'validation',
    status: 400,
    message: 'The connection ended before the file did; nothing was stored.',
  },
  absent: {
    tag: 'file_absent',
    major: 'not_found',
    status: 404,
    message: 'The file is not there any more.',
  },
});
