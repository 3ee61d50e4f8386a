export { MultiHeadAttention } from './05-multi-head-attention.ts';
