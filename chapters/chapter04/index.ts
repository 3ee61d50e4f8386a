export { LayerNorm, layerNormByHand } from './02-layer-norm.ts';
export { FeedForward, GELU, geluByHand } from './03-feed-forward.ts';
export { TransformerBlock } from './05-transformer-block.ts';
export { countParameters, type ForwardOptions, GPTModel } from './06-gpt-model.ts';
export { generateTextSimple } from './07-generating-text.ts';
export { KeysAndValues, KeyValueCache } from './08-key-value-cache.ts';
export { GPT_CONFIG_124M, type GPTConfig } from './config.ts';
