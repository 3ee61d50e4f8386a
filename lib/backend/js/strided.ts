export * from '../strided.ts';
