namespace Smae.Export;

/// <summary>What an ONNX file of Smae holds.</summary>
public enum OnnxModelKind
{
    /// <summary>Images to embeddings or tokens.</summary>
    Encoder,

    /// <summary>Images to probabilities of classes.</summary>
    Classifier,

    /// <summary>Images and masks to reconstructions.</summary>
    Autoencoder,
}
