export { MultiHeadAttention } from './06-multi-head-attention.ts';
