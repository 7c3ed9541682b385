using TorchSharp.Interop;

namespace TorchSharp;

public static partial class torch
{
    public static partial class nn
    {
        public static partial class functional
        {
            public static Tensor scaled_dot_product_attention(Tensor query, Tensor key, Tensor value, Tensor? attn_mask = null, double p = 0.0, bool is_casual = false)
            {
                if (p < 0) throw new ArgumentException("Dropout probability must be greater than or equal to zero.");
                if (is_casual && attn_mask is not null) throw new ArgumentException("Casual attention masking cannot pass a mask.");
                return Aten.scaled_dot_product_attention.Exists
                    ? Aten.scaled_dot_product_attention.Call(query, key, value, attn_mask, p, is_casual)
                    : ComposedAttention(query, key, value, attn_mask, p, is_casual);
            }

            /// <summary>Attention out of products and a softmax, for libtorch 1.13, which has no operator for it.</summary>
            private static Tensor ComposedAttention(Tensor query, Tensor key, Tensor value, Tensor? mask, double dropped, bool causal)
            {
                using var scope = NewDisposeScope();
                var scores = (query * (1 / Math.Sqrt(query.shape[^1]))).matmul(key.transpose(-2, -1));
                if (causal) mask = ones(query.shape[^2], key.shape[^2], ScalarType.Bool, query.device).tril();
                if (mask is not null) scores = mask.dtype == ScalarType.Bool ? scores.masked_fill(mask.logical_not(), double.NegativeInfinity) : scores + mask;
                var weights = scores.softmax(-1);
                if (dropped > 0) weights = dropout(weights, dropped);
                return weights.matmul(value).MoveToOuterDisposeScope();
            }
        }
    }
}
