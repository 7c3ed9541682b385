using Smae.Training;
using DataType = Smae.Export.TensorProto.Types.DataType;

namespace Smae.Export;

/// <summary>Writes the decoder of a masked autoencoder and the bookkeeping of its mask. Every image may hide as many patches as it likes.</summary>
/// <param name="graph">Where to.</param>
/// <param name="weights">The weights.</param>
/// <param name="products">Writes the products with weights.</param>
/// <param name="config">The decoder's shape.</param>
/// <param name="encoder">The encoder's shape.</param>
/// <param name="flavor">The operators of the blocks.</param>
internal sealed class DecoderGraph(
    GraphBuilder graph, WeightTable weights, Products products, DecoderConfig config, VisionTransformerConfig encoder, OnnxFlavor flavor)
{
    private readonly bool _classToken = MaskedDecoder.KeepsClassToken(config, encoder);
    private string _hidden = "";
    private string _visible = "";

    /// <summary>
    /// Reads a mask. The encoder runs on as many places as the image with most visible patches has; images with fewer fill theirs with hidden patches
    /// that no token looks at.
    /// </summary>
    /// <param name="mask">Not 0 where a patch is hidden, <c>[batch, patches]</c>, uint8.</param>
    /// <returns>
    /// Patches for the encoder, visible ones first and in order, <c>[batch, places]</c>, int64; and what is added to the scores of its tokens as
    /// keys, <c>[batch, 1, 1, tokens]</c>, in the type of the products.
    /// </returns>
    public (string Visible, string KeyMask) WriteMask(string mask)
    {
        using GraphBuilder.Scope scope = graph.In("mask");
        _hidden = graph.Cast(mask, DataType.Bool);
        _visible = graph.Cast(graph.Node("Not", [_hidden]), DataType.Float);
        // A number of its own for each patch, larger for visible ones: sorting has no ties to break.
        int patches = encoder.PatchCount;
        string order = graph.Initializer("mask.order", DataType.Float, () => Enumerable.Range(0, patches).Select(i => (float)-i).ToArray(), patches);
        string keys = graph.Node("Add", [graph.Node("Mul", [_visible, graph.Scalar(patches)]), order]);
        string counts = graph.Node("ReduceSum", [_visible, graph.Integers(1)], ("keepdims", 1L));
        string most = graph.Node("Max", [graph.Node("ReduceMax", [counts], ("keepdims", 0L)), graph.Scalar(1)]);
        string places = graph.Reshape(graph.Cast(most, DataType.Int64), 1);
        string picked = graph.Nodes("TopK", [keys, places], 2, ("axis", 1L), ("largest", 1L), ("sorted", 1L))[1];

        string seen = graph.Node("GatherElements", [_visible, picked], ("axis", 1L));
        string keyMask = graph.Node("Mul", [graph.Node("Sub", [seen, graph.Scalar(1)]), graph.Scalar(10000)]);
        if (encoder.ClassToken != ClassToken.None)
        {
            bool first = encoder.ClassToken == ClassToken.First;
            keyMask = graph.Node("Pad", [keyMask, first ? graph.Integers(0, 1, 0, 0) : graph.Integers(0, 0, 0, 1)]);
        }
        return (picked, products.ToCompute(graph.Node("Unsqueeze", [keyMask, graph.Integers(1, 2)])));
    }

    /// <summary>Predicts every patch.</summary>
    /// <param name="latent">
    /// What the encoder made of the visible patches, <c>[batch, places, dim]</c> or with the class token if the decoder keeps it.
    /// </param>
    /// <returns><c>[batch, patches, patch * patch * channels]</c>, float32.</returns>
    public string WritePrediction(string latent)
    {
        string tokens = InPlace(latent);
        var blocks = TransformerGraph.Create(graph, weights, products, config, flavor);
        tokens = blocks.Write(tokens, "decoder_blocks", config.FinalNorm ? "decoder_norm" : null);
        using GraphBuilder.Scope scope = graph.In("decoder_pred");
        if (_classToken) tokens = graph.Node("Slice", [tokens, graph.Integers(1), graph.Integers(int.MaxValue), graph.Integers(1)]);
        return products.ToFloat(products.LinearFully(products.ToCompute(tokens), "decoder_pred"));
    }

    /// <summary>The decoder's tokens, each in its place: encoded patches where they were visible, the mask token elsewhere.</summary>
    private string InPlace(string latent)
    {
        using GraphBuilder.Scope scope = graph.In("decoder_embed");
        string x = products.ToFloat(products.LinearFully(products.ToCompute(latent), "decoder_embed")), token = "";
        if (_classToken)
        {
            token = graph.Node("Slice", [x, graph.Integers(0), graph.Integers(1), graph.Integers(1)]);
            x = graph.Node("Slice", [x, graph.Integers(1), graph.Integers(int.MaxValue), graph.Integers(1)]);
        }
        // A visible patch stands behind those before it.
        string rank = graph.Node("Sub", [graph.Node("CumSum", [_visible, graph.Integer(1)]), graph.Scalar(1)]);
        rank = graph.Cast(graph.Node("Max", [rank, graph.Scalar(0)]), DataType.Int64);
        x = graph.Node("GatherND", [x, graph.Node("Unsqueeze", [rank, graph.Integers(-1)])], ("batch_dims", 1L));
        string maskToken = graph.Floats("mask_token", weights["mask_token"], 1, 1, config.EmbedDim);
        x = graph.Node("Where", [graph.Node("Unsqueeze", [_hidden, graph.Integers(-1)]), maskToken, x]);
        if (_classToken) x = graph.Node("Concat", [token, x], ("axis", 1L));
        return graph.Node("Add", [x, graph.Floats("decoder_pos_embed", weights["decoder_pos_embed"], weights.Shape("decoder_pos_embed"))]);
    }
}
