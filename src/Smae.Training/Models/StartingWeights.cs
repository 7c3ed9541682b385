namespace Smae.Training;

/// <summary>
/// Weights that pretraining begins from: those of an encoder, and of a decoder where the file has one that fits. Unlike <see cref="ModelWeights"/> a file
/// may lack what training can do without, and hold heads of other methods; a word about all that is given.
/// </summary>
internal sealed class StartingWeights
{
    private readonly string _path;
    private readonly EncoderFiles _files;
    private readonly SafeTensorsFile _file;
    private readonly WeightNames _names;

    private StartingWeights(string path)
    {
        (_path, _files) = (path, EncoderFiles.Find(path));
        if (!File.Exists(_files.Weights)) throw new FileNotFoundException($"{path} is not there: expected a safetensors file or a folder with one.", path);
        _file = SafeTensors.Open(_files.Weights);
        _names = WeightNames.Recognized(_file);
    }

    /// <summary>A hash of the content, which a run's identity has instead of the path.</summary>
    public static string Hash(string path) => new StartingWeights(path)._file.ContentHash();

    /// <summary>Why an encoder cannot begin from a file, one sentence each; its numbers are not read.</summary>
    /// <param name="path">A safetensors file, or a folder.</param>
    /// <param name="encoder">The encoder, valid in itself.</param>
    public static IEnumerable<string> Faults(string path, VisionTransformerConfig encoder)
    {
        if (string.IsNullOrWhiteSpace(path)) return ["InitialWeights is empty: expected a safetensors file or a folder with one, or null."];
        try
        {
            var weights = new StartingWeights(path);
            string[] faults = [.. weights.ShapeFaults(encoder)];
            if (faults.Length > 0) return faults;
            // One block says what all look like: an encoder of their number would take as long to make as to train a step with.
            using var model = new VisionTransformer(encoder with { Depth = 1, Fusion = null });
            const string first = "blocks.0.";
            weights.Plan(ModelWeights.Of(model).SelectMany(w => !w.Name.StartsWith(first, StringComparison.Ordinal) ? [w]
                : Enumerable.Range(0, encoder.Depth).Select(i => ($"blocks.{i}.{w.Name[first.Length..]}", w.Tensor))), Fit(encoder)).Check();
            return [];
        }
        catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            return [$"InitialWeights: {e.Message}"];
        }
    }

    /// <summary>Puts the weights into a new model.</summary>
    /// <param name="model">The autoencoder, on any device.</param>
    /// <param name="preprocessing">What is done to its images.</param>
    /// <returns>What came from the file and what did not, in at most six lines.</returns>
    /// <exception cref="InvalidDataException">The file is damaged, or does not fit the encoder.</exception>
    public static string Load(MaskedAutoencoder model, string path, ImagePreprocessing preprocessing)
    {
        var weights = new StartingWeights(path);
        (WeightFit fit, (string Name, Tensor Tensor)[] encoder) = (Fit(model.Config), [.. ModelWeights.Of(model.Encoder)]);
        WeightPlan plan = weights.Plan(encoder, fit);
        plan.Apply();
        if (!plan.HasBias) fit.Changes.Add("biases of queries, keys and values 0, since the file has none");
        string[] unused = [.. plan.Unknown];
        string decoder = "";
        if (model.Target != DecoderTarget.None)
        {
            WeightFit decoderFit = Fit(model.Config);
            decoder = weights.LoadDecoder(ModelWeights.Of(model).Where(w => !encoder.Any(e => e.Name == w.Name)), decoderFit, ref unused);
            fit.Changes.AddRange(decoderFit.Changes);
        }
        List<string> lines = [$"Beginning from {path}: {plan.Count} of the encoder's {encoder.Count(w => w.Tensor is TorchSharp.Modules.Parameter)} tensors; {decoder}"];
        if (fit.Changes.Count > 0) lines.Add($"Made to fit: {string.Join("; ", fit.Changes)}.");
        if (plan.Left.Count > 0) lines.Add($"Not in the file, left at random: {Some(plan.Left)}.");
        if (unused.Length > 0) lines.Add($"In the file, not used: {Some(unused)}.");
        if (weights._files.Description?.Preprocessing is { } own && own.Channels == preprocessing.Channels
            && !(own.Mean.SequenceEqual(preprocessing.Mean) && own.StandardDeviation.SequenceEqual(preprocessing.StandardDeviation)))
            lines.Add($"Its images were normalised by Mean [{Numbers(own.Mean)}] and StandardDeviation [{Numbers(own.StandardDeviation)}], those of this run are not.");
        return string.Join("\n  ", lines);
    }

    private static WeightFit Fit(VisionTransformerConfig encoder) => new(encoder, Resize: true, AdaptPatches: true);

    private WeightPlan Plan(IEnumerable<(string Name, Tensor Tensor)> encoder, WeightFit fit)
    {
        // A classifier may have its norm behind the pooling, another method no class token; what is in blocks must be there.
        static bool MayLack(string name) => name is "cls_token" or "reg_token" or "pos_embed" or "norm.weight" or "norm.bias"
            || name.StartsWith("fusion.", StringComparison.Ordinal);
        var plan = new WeightPlan(encoder, _file, _names, fit, MayLack);
        foreach (string name in plan.Unknown.Where(n => plan.Segments.Contains(n.Split('.')[0]) && !_names.BesideEncoder.Any(n.StartsWith)))
            plan.Faults[_names.Root + name] = "is not part of this model";
        return plan;
    }

    /// <summary>Takes the decoder if all of it fits.</summary>
    /// <param name="unused">Names that the encoder did not use; what the decoder uses is taken out.</param>
    private string LoadDecoder(IEnumerable<(string Name, Tensor Tensor)> decoder, WeightFit fit, ref string[] unused)
    {
        if (!_names.Of("decoder_embed.weight").Any(_file.Contains)) return "the decoder is random, since the file has none.";
        var plan = new WeightPlan(decoder, _file, _names, fit);
        if (plan.Faults.Count > 0)
        {
            fit.Changes.Clear();
            (string name, string fault) = plan.Faults.First();
            return $"the decoder is random, since the file's is another ('{name}' {fault}).";
        }
        plan.Apply();
        unused = [.. unused.Intersect(plan.Unknown)];
        return "the decoder too.";
    }

    private IEnumerable<string> ShapeFaults(VisionTransformerConfig encoder)
    {
        if (StoredShape.Of(_file) is not { } stored)
        {
            string names = string.Join(", ", _file.Names.Take(3).Select(n => $"'{n}'"));
            return [$"InitialWeights: {_path} holds no vision transformer: expected a tensor 'patch_embed.proj.weight', "
                + $"or one that is called as transformers calls it, found {names}."];
        }
        List<string> faults = [];
        void Expect<T>(string setting, T given, T held)
        {
            if (!Equals(given, held))
                faults.Add($"Encoder.{setting} is {given?.ToString() ?? "null"}: expected {held?.ToString() ?? "null"} as in InitialWeights ({_path}).");
        }
        Expect(nameof(encoder.EmbedDim), encoder.EmbedDim, stored.EmbedDim);
        Expect(nameof(encoder.Depth), encoder.Depth, stored.Depth);
        if (encoder.MlpDim != stored.MlpDim && encoder.EmbedDim == stored.EmbedDim)
            Expect(nameof(encoder.MlpRatio), encoder.MlpRatio, (double)stored.MlpDim / stored.EmbedDim);
        Expect(nameof(encoder.RegisterTokens), encoder.RegisterTokens, stored.RegisterTokens > 0 ? stored.RegisterTokens : encoder.RegisterTokens);
        if (stored.LayerScale != encoder.LayerScale.HasValue) Expect<double?>(nameof(encoder.LayerScale), encoder.LayerScale, stored.LayerScale ? 1 : null);
        if (stored.Channels != encoder.Channels && !PatchAdaption.CanTurn(stored.Channels, encoder.Channels))
            faults.Add($"Encoder.Channels is {encoder.Channels}: expected {stored.Channels} as in InitialWeights ({_path}); "
                + "only weights for 3 channels are made ones for others.");
        if (_files.Stored is not { } described) return faults;
        // What shapes do not show and would be wrong in silence.
        Expect(nameof(encoder.NumHeads), encoder.NumHeads, described.NumHeads);
        Expect(nameof(encoder.Activation), encoder.Activation, described.Activation);
        Expect(nameof(encoder.Residual), encoder.Residual, described.Residual);
        return faults;
    }

    private static string Some(IReadOnlyList<string> names)
    {
        const int most = 6;
        return string.Join(", ", names.Take(most)) + (names.Count > most ? $" and {names.Count - most} more" : "");
    }

    private static string Numbers(IEnumerable<float> numbers) => ValueText.Invariant(() => string.Join(", ", numbers));
}
