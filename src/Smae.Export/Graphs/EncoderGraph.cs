using Smae.Training;

namespace Smae.Export;

/// <summary>Writes a vision transformer: patches to tokens, tokens to a vector.</summary>
internal sealed class EncoderGraph(GraphBuilder graph, WeightTable weights, Products products, VisionTransformerConfig config, OnnxFlavor flavor)
{
    private readonly TransformerGraph _blocks = new(graph, weights, products, config, flavor);

    /// <summary>Encodes all patches, normalised, <c>[batch, patches, patch * patch * channels]</c>, to <c>[batch, tokens, dim]</c>.</summary>
    /// <param name="hidden">Which of them are seen as <c>mask_token</c> only, <c>[batch, patches]</c>, bool; null is none.</param>
    public string WriteTokens(string patches, string? hidden = null)
    {
        string tokens;
        using (graph.In("patch_embed"))
        {
            tokens = Project(patches);
            if (hidden is not null)
            {
                string token = graph.Node("Sub", [graph.Floats("mask_token", weights["mask_token"], 1, 1, config.EmbedDim), Bias]);   // the table adds it
                tokens = graph.Node("Where", [graph.Node("Unsqueeze", [hidden, graph.Integers(-1)]), token, tokens]);
            }
            // Room for class token and registers; what stands there comes with the table.
            if (config.PrefixTokens > 0) tokens = graph.Node("Pad", [tokens, graph.Integers(0, config.PrefixTokens, 0, 0, 0, 0)]);
            if (config.ClassToken == ClassToken.Last) tokens = graph.Node("Pad", [tokens, graph.Integers(0, 0, 0, 0, 1, 0)]);
            tokens = graph.Node("Add", [tokens, Table()]);
        }
        return WriteBlocks(tokens);
    }

    /// <summary>Encodes some patches of each image.</summary>
    /// <param name="visible">Which of them, <c>[batch, visible]</c>, int64.</param>
    /// <param name="mask">What is added to the scores of keys, <c>[batch, 1, 1, tokens]</c>, in the type of the products.</param>
    public string WriteVisibleTokens(string patches, string visible, string mask)
    {
        string tokens;
        using (graph.In("patch_embed"))
        {
            bool first = config.ClassToken == ClassToken.First;
            patches = graph.Node("GatherND", [patches, graph.Node("Unsqueeze", [visible, graph.Integers(-1)])], ("batch_dims", 1L));
            string positions = graph.Reshape(Positions, first ? config.PatchCount + 1 : config.PatchCount, config.EmbedDim);
            string places = first ? graph.Node("Add", [visible, graph.Integer(1)]) : visible;
            tokens = graph.Node("Add", [Project(patches), graph.Node("Add", [graph.Node("Gather", [positions, places], ("axis", 0L)), Bias])]);
            string OfEach(string token, int count)
            {
                string batch = graph.Node("Slice", [graph.Node("Shape", [visible]), graph.Integers(0), graph.Integers(1)]);
                return graph.Node("Expand", [token, graph.Node("Concat", [batch, graph.Integers(count, config.EmbedDim)], ("axis", 0L))]);
            }
            if (config.RegisterTokens > 0) tokens = graph.Node("Concat", [OfEach(Registers, config.RegisterTokens), tokens], ("axis", 1L));
            if (config.ClassToken != ClassToken.None)
            {
                string token = ClassTokenWeight;
                if (first) token = graph.Node("Add", [token, graph.Node("Gather", [positions, graph.Integer(0)], ("axis", 0L))]);
                token = OfEach(token, 1);
                tokens = graph.Node("Concat", first ? [token, tokens] : [tokens, token], ("axis", 1L));
            }
        }
        return WriteBlocks(tokens, mask);
    }

    public string WritePooled(string tokens, Pooling pooling)
    {
        using GraphBuilder.Scope scope = graph.In("pool");
        return pooling == Pooling.ClassToken
            ? graph.Node("Gather", [tokens, graph.Integer(config.ClassToken == ClassToken.First ? 0 : config.TokenCount - 1)], ("axis", 1L))
            : graph.Node("ReduceMean", [WritePatchTokens(tokens)], ("axes", new[] { 1L }), ("keepdims", 0L));
    }

    /// <summary>Tokens without class token and registers.</summary>
    public string WritePatchTokens(string tokens) => config.TokenCount == config.PatchCount ? tokens
        : graph.Slice(tokens, config.PrefixTokens, config.ClassToken == ClassToken.Last ? -1 : int.MaxValue, axis: 1);

    public string WriteLayerNorm(string value, string name) => _blocks.LayerNorm(value, name);

    private string WriteBlocks(string tokens, string? mask = null) =>
        _blocks.Write(tokens, "blocks", config.FinalNorm ? "norm" : null, mask, config.Fusion is null ? null : Fuse);

    /// <summary>The streams after some blocks, all but the last through a linear layer, added up with the softmax of learned numbers (MFF).</summary>
    private string Fuse(IReadOnlyList<string> streams)
    {
        using GraphBuilder.Scope scope = graph.In("fusion");
        double[] shares = [.. weights["fusion.proj_weights"].Select(w => Math.Exp(w))];
        string Share(string value, int i) => graph.Node("Mul", [value, graph.Scalar(shares[i] / shares.Sum())]);
        BlockList blocks = config.Fusion!;
        string sum = Share(streams[blocks[^1]], blocks.Count - 1);
        for (int i = 0; i < blocks.Count - 1; i++)
        {
            string projected = products.ToFloat(products.LinearFully(products.ToCompute(streams[blocks[i]]), $"fusion.proj_layers.{i}"));
            sum = graph.Node("Add", [sum, Share(projected, i)]);
        }
        return sum;
    }

    private string Bias => graph.Floats("patch_embed.proj.bias", weights["patch_embed.proj.bias"], config.EmbedDim);
    private string Positions => graph.Floats("pos_embed", weights["pos_embed"], weights.Shape("pos_embed"));
    private string ClassTokenWeight => graph.Floats("cls_token", weights["cls_token"], 1, 1, config.EmbedDim);
    private string Registers => graph.Floats("reg_token", weights["reg_token"], 1, config.RegisterTokens, config.EmbedDim);
    private string Project(string patches) => products.ToFloat(products.MultiplyFully(products.ToCompute(patches), "patch_embed.proj"));

    /// <summary>Positions, class token, registers and the projection's bias as one table, <c>[1, tokens, dim]</c>; runtimes compute it once.</summary>
    private string Table()
    {
        using GraphBuilder.Scope scope = graph.In("table");
        string table = TableWithoutRegisters();
        if (config.RegisterTokens == 0) return table;
        string[] parts = config.ClassToken != ClassToken.First ? [Registers, table]
            : [graph.Slice(table, 0, 1, axis: 1), Registers, graph.Slice(table, 1, int.MaxValue, axis: 1)];
        return graph.Node("Concat", parts, ("axis", 1L));
    }

    private string TableWithoutRegisters()
    {
        if (config.ClassToken == ClassToken.None) return graph.Node("Add", [Positions, Bias]);
        if (config.ClassToken == ClassToken.Last)
            return graph.Node("Concat", [graph.Node("Add", [Positions, Bias]), ClassTokenWeight], ("axis", 1L));
        string biases = graph.Node("Expand", [Bias, graph.Integers(1, config.PatchCount, config.EmbedDim)]);
        return graph.Node("Add", [Positions, graph.Node("Concat", [ClassTokenWeight, biases], ("axis", 1L))]);
    }
}
