namespace Microsoft.ML.Transforms;

public sealed partial class NormalizingTransformer
{
    /// <summary>What a normalization has learned.</summary>
    public abstract class NormalizerModelParametersBase
    {
        private protected NormalizerModelParametersBase()
        {
        }
    }

    /// <summary>The normalized value is (x - Offset) * Scale.</summary>
    public sealed class AffineNormalizerModelParameters<TData> : NormalizerModelParametersBase
    {
        internal AffineNormalizerModelParameters(TData scale, TData offset)
        {
            Scale = scale;
            Offset = offset;
        }

        public TData Scale { get; }

        public TData Offset { get; }
    }
}
