export { type AttentionOptions, MultiHeadAttention, type Past } from './06-multi-head-attention.ts';
