namespace Smae.Export;

/// <summary>What an encoder's ONNX file gives for an image.</summary>
public enum OnnxOutput
{
    /// <summary>The embedding, pooled as the encoder's own <c>Pooling</c> says: <c>[batch, dim]</c>.</summary>
    Pooled,

    /// <summary>The mean over the tokens of all patches: <c>[batch, dim]</c>.</summary>
    Mean,

    /// <summary>The class token: <c>[batch, dim]</c>.</summary>
    ClassToken,

    /// <summary>All tokens, the class token where the encoder has it: <c>[batch, tokens, dim]</c>.</summary>
    Tokens,
}
