import type { Type } from '@nestjs/common';

interface ShapeField {
  optional: boolean;
  /** Null says something else than absence does. */
  nullable: boolean;
  /** The class of the object, or of each object of the list, that stands here. */
  part: (() => Type) | undefined;
}

type Fields = Map<string, ShapeField>;

const fieldsByPrototype = new Map<object, Fields>();

export function declareField(prototype: object, name: string, field: ShapeField): void {
  const fields = fieldsByPrototype.get(prototype) ?? new Map<string, ShapeField>();
  fieldsByPrototype.set(prototype, fields.set(name, field));
}

/**
 * A body as an instance of its wire shape: the declared fields and nothing else, nothing converted, open objects untouched.
 * Copying whatever came would let a property named `constructor` decide which checks run; class-transformer does that.
 */
export function toShape<T extends object>(shape: Type<T>, body: Readonly<Record<string, unknown>>): T {
  const instance = new shape() as Record<string, unknown>;
  for (const [name, { optional, nullable, part }] of declaredFields(shape)) {
    const value = Object.hasOwn(body, name) ? body[name] : undefined;
    if (value === undefined || (value === null && optional && !nullable)) continue; // null for "nothing" means absent
    instance[name] = part && value !== null ? toPart(part(), value) : value;
  }
  return instance as T;
}

/** An object, or a list of objects. A list in a list stays what it is, for the checks to refuse. */
function toPart(shape: Type<object>, value: unknown): unknown {
  return Array.isArray(value) ? value.map((item) => toOnePart(shape, item)) : toOnePart(shape, value);
}

function toOnePart(shape: Type<object>, value: unknown): unknown {
  const isPlain = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isPlain ? toShape(shape, value as Record<string, unknown>) : value;
}

const fieldsByShape = new Map<Type, Fields>();

/** Those of the class itself and of what it extends; collected once. */
export function declaredFields(shape: Type): Fields {
  const known = fieldsByShape.get(shape);
  if (known) return known;
  const fields: Fields = new Map();
  fieldsByShape.set(shape, fields);
  for (
    let prototype: object | null = shape.prototype as object;
    prototype;
    prototype = Object.getPrototypeOf(prototype) as object | null
  ) {
    for (const [name, field] of fieldsByPrototype.get(prototype) ?? []) if (!fields.has(name)) fields.set(name, field);
  }
  return fields;
}
