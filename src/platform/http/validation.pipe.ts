import { Injectable, type ArgumentMetadata, type PipeTransform, type Type } from '@nestjs/common';
import { validateSync, type ValidationError } from 'class-validator';
import { AppError, type FieldProblem } from '../errors/app-error.js';
import { platformErrors } from '../errors/platform.errors.js';
import { assertStorable } from './body-hygiene.js';
import { declaredFields, toShape } from './shape.js';

const MAX_PROBLEMS = 50;
const RULES = {
  whitelist: true,
  forbidUnknownValues: false,
  stopAtFirstError: true,
  validationError: { target: false },
};

/** Body and parameters to their wire shapes: unknown properties are left out, wrong ones named. Nothing is converted. */
@Injectable()
export class ValidationPipe implements PipeTransform {
  transform(value: unknown, { type, metatype }: ArgumentMetadata): unknown {
    if (type === 'custom' || !metatype || metatype === String || metatype === Object) return value;
    if (type !== 'body') assertStorable(value); // a body was checked when it was parsed
    return checkedShape(metatype as Type<object>, value ?? {});
  }
}

/** Also for what is judged apart from its body: an item of a batch. */
export function checkedShape<T extends object>(shapeType: Type<T>, value: unknown): T {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new AppError(platformErrors.bodyMalformed);
  const shape = toShape(shapeType, value as Record<string, unknown>);
  if (declaredFields(shape.constructor as Type).size === 0) return shape;
  const fields = validateSync(shape, RULES).flatMap((error) => problemsOf(error, ''));
  if (fields.length > 0) throw new AppError(platformErrors.requestInvalid, { fields: fields.slice(0, MAX_PROBLEMS) });
  return shape;
}

function problemsOf({ property, value, constraints, children }: ValidationError, parent: string): FieldProblem[] {
  const path = parent === '' ? property : `${parent}.${property}`;
  const inner = (children ?? []).flatMap((child) => problemsOf(child, path));
  const [tag] = Object.values(constraints ?? {});
  if (tag === undefined) return inner;
  return [{ path, tag: value === undefined || value === null ? 'required' : tag }, ...inner];
}
