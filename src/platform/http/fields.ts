import { applyDecorators, type Type } from '@nestjs/common';
import { ApiProperty, type ApiPropertyOptions } from '@nestjs/swagger';
import {
  ArrayMaxSize,
  ArrayNotEmpty,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsNumber,
  IsObject,
  IsOptional,
  IsString,
  Matches,
  Max,
  MaxLength,
  Min,
  MinLength,
  ValidateBy,
  ValidateNested,
} from 'class-validator';
import { declareField } from './shape.js';
import { parseUtcTime } from './utc-time.js';

// The fields of wire shapes: each decorator gives validation and documentation together. The message of a check is the
// tag that the caller reads in details.fields.

export interface FieldOptions {
  optional?: boolean;
  /** With `optional`: null is kept, and means "as it is by default" where absence means "as it is". */
  nullable?: boolean;
  /** Ours, beyond the contract's shape. */
  extension?: boolean;
  description?: string;
}

const MAX_LIST = 256;

function field(
  documented: object,
  checks: PropertyDecorator[],
  options: FieldOptions = {},
  part?: () => Type,
): PropertyDecorator {
  const { optional = false, nullable = false, extension = false, description } = options;
  return applyDecorators(
    (prototype: object, name: string | symbol) => declareField(prototype, String(name), { optional, nullable, part }),
    ApiProperty({
      ...documented,
      required: !optional,
      ...(description ? { description } : {}),
      ...(nullable ? { nullable } : {}),
      ...(extension ? { 'x-ipm-extension': true } : {}),
    } as ApiPropertyOptions),
    ...(optional ? [IsOptional()] : []),
    ...checks,
  );
}

/** An id that a client may choose: 1 to 128 visible ASCII characters. */
export function Id(options?: FieldOptions): PropertyDecorator {
  return field(
    { type: 'string' },
    [IsString({ message: 'not_text' }), Matches(/^[\x21-\x7e]{1,128}$/, { message: 'not_an_id' })],
    options,
  );
}

/** A code as in headers: organisation, cost centre. */
export function Code(options?: FieldOptions): PropertyDecorator {
  return field(
    { type: 'string' },
    [IsString({ message: 'not_text' }), Matches(/^[A-Za-z0-9_-]{1,64}$/, { message: 'not_a_code' })],
    options,
  );
}

export function Text(options: FieldOptions & { max: number; min?: number }): PropertyDecorator {
  const { min = 1, max } = options;
  const checks = [
    IsString({ message: 'not_text' }),
    MinLength(min, { message: 'too_short' }),
    MaxLength(max, { message: 'too_long' }),
  ];
  return field({ type: 'string' }, checks, options);
}

/** A text of one form; the tag says which form was missed. */
export function TextOfForm(pattern: RegExp, tag: string, options?: FieldOptions): PropertyDecorator {
  return field({ type: 'string' }, [IsString({ message: 'not_text' }), Matches(pattern, { message: tag })], options);
}

export function Revision(options?: FieldOptions): PropertyDecorator {
  return field(
    { type: 'string' },
    [IsString({ message: 'not_text' }), Matches(/^\d{1,18}$/, { message: 'not_a_revision' })],
    options,
  );
}

export function UtcTime(options?: FieldOptions): PropertyDecorator {
  const isUtcTime = ValidateBy({
    name: 'utcTime',
    validator: {
      validate: (value) => typeof value === 'string' && parseUtcTime(value) !== undefined,
      defaultMessage: () => 'not_a_time',
    },
  });
  return field({ type: 'string', format: 'date-time' }, [isUtcTime], options);
}

export function OneOf(values: readonly string[], options?: FieldOptions): PropertyDecorator {
  return field({ type: 'string', enum: [...values] }, [IsIn(values, { message: 'not_one_of' })], options);
}

export function Integer(options: FieldOptions & { min: number; max: number }): PropertyDecorator {
  const { min, max } = options;
  return field(
    { type: 'integer' },
    [IsInt({ message: 'not_an_integer' }), Min(min, { message: 'too_small' }), Max(max, { message: 'too_large' })],
    options,
  );
}

/** Any finite number; `min` where it cannot be less. */
export function FiniteNumber(options: FieldOptions & { min?: number } = {}): PropertyDecorator {
  const { min } = options;
  const checks = [
    IsNumber({}, { message: 'not_a_number' }),
    ...(min === undefined ? [] : [Min(min, { message: 'too_small' })]),
  ];
  return field({ type: 'number' }, checks, options);
}

/** A share of the whole, 0 to 1. */
export function Ratio(options?: FieldOptions): PropertyDecorator {
  const checks = [
    IsNumber({}, { message: 'not_a_number' }),
    Min(0, { message: 'too_small' }),
    Max(1, { message: 'too_large' }),
  ];
  return field({ type: 'number' }, checks, options);
}

export function Integers(options: FieldOptions & { min: number; max: number; maxItems: number }): PropertyDecorator {
  const { min, max, maxItems } = options;
  const each = { each: true };
  const checks = [
    IsArray({ message: 'not_a_list' }),
    ArrayNotEmpty({ message: 'empty' }),
    ArrayMaxSize(maxItems, { message: 'too_many' }),
    IsInt({ ...each, message: 'not_an_integer' }),
    Min(min, { ...each, message: 'too_small' }),
    Max(max, { ...each, message: 'too_large' }),
  ];
  return field({ type: 'array', items: { type: 'integer' } }, checks, options);
}

/** Page size: any integer, because it is clamped and not refused. */
export function Limit(): PropertyDecorator {
  return field({ type: 'integer' }, [IsInt({ message: 'not_an_integer' })], { optional: true });
}

/** An integer as it stands in an address. */
export function IntegerInAddress(options?: FieldOptions): PropertyDecorator {
  return field({ type: 'integer' }, [Matches(/^-?\d{1,15}$/, { message: 'not_an_integer' })], options);
}

/** Yes or no as it stands in an address. */
export function FlagInAddress(options?: FieldOptions): PropertyDecorator {
  return field({ type: 'boolean' }, [IsIn(['true', 'false'], { message: 'not_a_boolean' })], options);
}

/** Any JSON object; who uses it checks what is in it. */
export function OpenObject(options?: FieldOptions): PropertyDecorator {
  return field({ type: 'object' }, [IsObject({ message: 'not_an_object' })], options);
}

/** Any names to any values; who takes it checks both. */
export function OpenMap(options?: FieldOptions): PropertyDecorator {
  return field({ type: 'object', additionalProperties: true }, [IsObject({ message: 'not_an_object' })], options);
}

/** Names to texts; who takes it checks both. */
export function TextMap(options?: FieldOptions): PropertyDecorator {
  const documented = { type: 'object', additionalProperties: { type: 'string' } };
  return field(documented, [IsObject({ message: 'not_an_object' })], options);
}

export function OpenObjects(options?: FieldOptions): PropertyDecorator {
  const checks = [IsArray({ message: 'not_a_list' }), IsObject({ each: true, message: 'not_an_object' })];
  return field({ type: 'array', items: { type: 'object' } }, checks, options);
}

export function Flag(options?: FieldOptions): PropertyDecorator {
  return field({ type: 'boolean' }, [IsBoolean({ message: 'not_a_boolean' })], options);
}

export function NextToken(): PropertyDecorator {
  return OpenObject({ optional: true });
}

export function Texts(options: FieldOptions & { maxLength: number; maxItems?: number }): PropertyDecorator {
  const { maxLength, maxItems = MAX_LIST } = options;
  const each = { each: true };
  const checks = [
    IsArray({ message: 'not_a_list' }),
    ArrayMaxSize(maxItems, { message: 'too_many' }),
    IsString({ ...each, message: 'not_text' }),
    MaxLength(maxLength, { ...each, message: 'too_long' }),
  ];
  return field({ type: 'array', items: { type: 'string' } }, checks, options);
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** An id that we made. */
export function Uuid(options?: FieldOptions): PropertyDecorator {
  return TextOfForm(UUID, 'not_a_uuid', options);
}

/** At least one, of a fixed set. */
export function SomeOf(values: readonly string[], options?: FieldOptions): PropertyDecorator {
  const checks = [
    IsArray({ message: 'not_a_list' }),
    ArrayNotEmpty({ message: 'empty' }),
    ArrayMaxSize(values.length, { message: 'too_many' }),
    IsIn(values, { each: true, message: 'not_one_of' }),
  ];
  return field({ type: 'array', items: { type: 'string', enum: [...values] } }, checks, options);
}

export function Part(shape: () => Type, options?: FieldOptions): PropertyDecorator {
  // Nest takes a function for a type that is yet to come only when its name is "type".
  return field({ type: () => shape() }, [IsObject({ message: 'not_an_object' }), ValidateNested()], options, shape);
}

export function Parts(shape: () => Type, options: FieldOptions & { maxItems?: number } = {}): PropertyDecorator {
  const { maxItems = MAX_LIST } = options;
  const checks = [
    IsArray({ message: 'not_a_list' }),
    ArrayMaxSize(maxItems, { message: 'too_many' }),
    IsObject({ each: true, message: 'not_an_object' }),
    ValidateNested({ each: true, message: 'not_an_object' }),
  ];
  return field({ type: [shape()] }, checks, options, shape);
}

/** Items that are judged one by one by who takes them: here only that there are some, and not too many. */
export function Batch(shape: () => Type, options: FieldOptions & { maxItems: number }): PropertyDecorator {
  const checks = [
    IsArray({ message: 'not_a_list' }),
    ArrayNotEmpty({ message: 'empty' }),
    ArrayMaxSize(options.maxItems, { message: 'too_many' }),
  ];
  return field({ type: [shape()] }, checks, options);
}
