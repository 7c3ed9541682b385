using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.VectorData.ProviderServices;
using Smae.Training;

namespace Smae.MLNet.Tests;

/// <summary>Encoders behind .NET's embedding interface: the numbers of the pipelines, one image or many, one caller or many.</summary>
[TestClass]
public sealed class ImageEmbeddingGeneratorTests : EmbeddingFixture
{
    [TestMethod]
    [DataRow(false, 1)]
    [DataRow(false, 64)]
    [DataRow(true, 7)]
    [DataRow(true, 1000)]
    public async Task The_numbers_are_those_of_the_pipelines_for_the_same_files(bool onnx, int batchSize)
    {
        string file = Save(onnx);
        ITransformer model = onnx
            ? Context.Transforms.OnnxEmbedding("Embedding", "ImagePath", file).Fit(Images)
            : Context.Transforms.MaeEmbedding("Embedding", "ImagePath", file).Fit(Images);
        List<EmbeddedRow> rows = Read<EmbeddedRow>(model.Transform(Images));
        (model as IDisposable)?.Dispose();

        using var generator = ImageEmbeddingGenerator.Load(file, new ImageEmbeddingOptions { BatchSize = batchSize });
        DataContent[] images = await Task.WhenAll(rows.Select(row => DataContent.LoadFromAsync(row.ImagePath).AsTask()));
        GeneratedEmbeddings<Embedding<float>> found = await generator.GenerateAsync(images);
        Assert.HasCount(Count, found);
        for (int i = 0; i < Count; i++)
        {
            Assert.AreEqual((TestModels.Width, "encoder"), (found[i].Dimensions, found[i].ModelId));
            for (int j = 0; j < TestModels.Width; j++) Assert.AreEqual(rows[i].Embedding[j], found[i].Vector.Span[j], 1e-6f, rows[i].ImagePath);
        }
        Assert.AreEqual((Count + batchSize - 1) / batchSize, generator.BatchCount);
        Assert.AreEqual(Count, generator.ImageCount);
    }

    [TestMethod]
    public async Task Bytes_a_part_of_an_array_and_a_data_uri_of_any_image_type_are_taken()
    {
        using var generator = new ImageEmbeddingGenerator(Encoder);
        byte[] png = File.ReadAllBytes(AnyImage());
        DataContent[] same =
        [
            new(png, "image/png"), new(png, "image/*"), new(png, "application/octet-stream"), new(new byte[5].Concat(png).ToArray().AsMemory(5), "image/png"),
            new($"data:image/png;base64,{Convert.ToBase64String(png)}"), new(new Uri($"data:;base64,{Convert.ToBase64String(png)}"), "image/png"),
        ];
        foreach (Embedding<float> embedding in await generator.GenerateAsync(same)) AssertClose(Expected(AnyImage()), embedding.Vector.ToArray(), "png");

        string jpeg = TestImages.Write(At("other.jpg"), 5, 40, 30);
        ReadOnlyMemory<float> vector = await generator.GenerateVectorAsync(await DataContent.LoadFromAsync(jpeg));
        AssertClose(Expected(jpeg), vector.ToArray(), jpeg);
        Assert.IsEmpty(await generator.GenerateAsync([]));
    }

    [TestMethod]
    public async Task What_is_no_image_is_refused_by_its_index_before_anything_is_computed()
    {
        using var generator = new ImageEmbeddingGenerator(Encoder);
        DataContent image = Content(AnyImage());
        await Fails<ArgumentNullException>(() => generator.GenerateAsync(null!), "values");
        await Fails<ArgumentException>(() => generator.GenerateAsync([image, null!]), "values[1] is null");
        await Fails<ArgumentException>(
            () => generator.GenerateAsync([image, new DataContent("a"u8.ToArray(), "text/plain") { Name = "a.txt" }]), "values[1] (a.txt)", "text/plain");
        Assert.AreEqual(0, generator.BatchCount);
    }

    [TestMethod]
    public async Task Broken_images_fail_their_call_with_index_name_and_reason_and_no_other_call()
    {
        using var model = new HeldModel();
        using ImageEmbeddingGenerator generator = model.Generator();
        string torn = TestImages.Truncate(TestImages.Write(At("torn.png"), 1));
        var text = new DataContent("no picture"u8.ToArray(), "image/png");
        Task first = model.Hold(generator);
        Task<GeneratedEmbeddings<Embedding<float>>> good = generator.GenerateAsync([model.Image]);
        Task broken = generator.GenerateAsync([model.Image, await DataContent.LoadFromAsync(torn), model.Image, text]);
        await Fails<InvalidDataException>(() => broken, "values[1] (torn.png): truncated PNG", "values[3]: not an image");
        model.Go();
        await first;
        Assert.HasCount(1, await good);
        Assert.AreEqual(2, generator.ImageCount, "of a call that fails nothing is computed");
    }

    [TestMethod]
    public async Task Calls_that_come_while_a_batch_is_computed_share_the_next_ones_and_each_gets_its_own()
    {
        using var model = new HeldModel();
        using ImageEmbeddingGenerator generator = model.Generator(batchSize: 4);
        Task first = model.Hold(generator);
        Task<GeneratedEmbeddings<Embedding<float>>>[] calls = [.. Enumerable.Range(1, 6).Select(i => generator.GenerateAsync([model.Grey(i)]))];
        await model.Queued(generator, 6);
        model.Go();
        await first;
        GeneratedEmbeddings<Embedding<float>>[] found = await Task.WhenAll(calls);
        for (int i = 0; i < 6; i++) Assert.AreEqual(i + 1, found[i].Single().Vector.Span[0]);
        CollectionAssert.AreEqual((int[])[1, 4, 2], model.Batches.ToArray());
        Assert.AreEqual((3, 7), (generator.BatchCount, generator.ImageCount));
    }

    [TestMethod]
    public async Task A_cancelled_call_ends_at_once_is_not_computed_and_disturbs_no_other()
    {
        using var model = new HeldModel();
        using ImageEmbeddingGenerator generator = model.Generator();
        Task first = model.Hold(generator);
        using var cancellation = new CancellationTokenSource();
        Task cancelled = generator.GenerateAsync([model.Grey(1), model.Grey(2)], cancellationToken: cancellation.Token);
        await model.Queued(generator, 2);
        Task<GeneratedEmbeddings<Embedding<float>>> other = generator.GenerateAsync([model.Grey(3)]);
        await model.Queued(generator, 3);
        await cancellation.CancelAsync();
        await Assert.ThrowsAsync<OperationCanceledException>(() => cancelled);
        Assert.IsTrue(cancelled.IsCanceled);
        await Assert.ThrowsAsync<OperationCanceledException>(() => generator.GenerateAsync([model.Grey(1)], cancellationToken: cancellation.Token));
        Assert.IsFalse(first.IsCompleted || other.IsCompleted, "the model is still at the first batch");
        model.Go();
        await first;
        Assert.AreEqual(3, (await other).Single().Vector.Span[0]);
        CollectionAssert.AreEqual((int[])[1, 1], model.Batches.ToArray());
    }

    [TestMethod]
    public async Task A_call_that_is_cancelled_while_it_is_computed_ends_at_once_and_the_rest_of_its_batch_gets_its_numbers()
    {
        using var model = new HeldModel();
        using ImageEmbeddingGenerator generator = model.Generator();
        using var cancellation = new CancellationTokenSource();
        Task cancelled = model.Hold(generator, cancellation.Token);
        await cancellation.CancelAsync();
        await Assert.ThrowsAsync<OperationCanceledException>(() => cancelled);
        model.Go();
        Assert.AreEqual(2, (await generator.GenerateAsync([model.Grey(2)])).Single().Vector.Span[0]);
    }

    [TestMethod]
    public async Task A_batch_that_fails_fails_its_own_calls_and_the_next_goes_well()
    {
        using var model = new HeldModel { Failure = new InvalidOperationException("out of memory") };
        using ImageEmbeddingGenerator generator = model.Generator();
        model.Go();
        await Fails<InvalidOperationException>(() => generator.GenerateAsync([model.Image]), "out of memory");
        model.Failure = null;
        Assert.HasCount(1, await generator.GenerateAsync([model.Image]));
    }

    [TestMethod]
    public async Task Many_callers_at_once_get_what_one_gets()
    {
        string[] paths = [.. Read<PathRow>(Images).Select(row => row.ImagePath)];
        using var generator = new ImageEmbeddingGenerator(Encoder, new ImageEmbeddingOptions { BatchSize = 16 });
        var found = new float[Count][];
        await Parallel.ForEachAsync(
            Enumerable.Range(0, Count), new ParallelOptions { MaxDegreeOfParallelism = 32 },
            async (i, _) => found[i] = (await generator.GenerateVectorAsync(Content(paths[i]))).ToArray());
        for (int i = 0; i < Count; i++) AssertClose(Expected(paths[i]), found[i], paths[i]);
        Assert.AreEqual(Count, generator.ImageCount);
    }

    [TestMethod]
    public async Task After_disposal_calls_fail_those_that_waited_too_and_only_an_owned_model_is_gone()
    {
        using var model = new HeldModel();
        ImageEmbeddingGenerator generator = model.Generator();
        Task first = model.Hold(generator), waiting = generator.GenerateAsync([model.Image]);
        await model.Queued(generator, 1);
        generator.Dispose();
        generator.Dispose();
        await Assert.ThrowsExactlyAsync<ObjectDisposedException>(() => waiting);
        await Assert.ThrowsExactlyAsync<ObjectDisposedException>(() => generator.GenerateAsync([model.Image]));
        model.Go();
        await first;   // what was being computed ends well

        new ImageEmbeddingGenerator(Encoder).Dispose();
        Expected(AnyImage());
        ImageEncoder owned = TestModels.Encoder();
        new ImageEmbeddingGenerator(owned, ownsEncoder: true).Dispose();
        Assert.ThrowsExactly<ObjectDisposedException>(() => owned.Embed(new byte[owned.Preprocessing.ByteCount], 1, new float[owned.EmbedDim]));
    }

    [TestMethod]
    public void Metadata_model_and_generator_are_there_for_who_asks()
    {
        using var model = OnnxImageModel.Load(Save(onnx: true));
        using var generator = new ImageEmbeddingGenerator(model, new ImageEmbeddingOptions { ModelId = "photos" });
        IEmbeddingGenerator asked = generator;
        var metadata = asked.GetRequiredService<EmbeddingGeneratorMetadata>();
        Assert.AreEqual(("smae", "photos", TestModels.Width), (metadata.ProviderName, metadata.DefaultModelId, metadata.DefaultModelDimensions));
        Assert.AreSame(model, asked.GetService<OnnxImageModel>());
        Assert.AreSame(generator, asked.GetService<IEmbeddingGenerator<DataContent, Embedding<float>>>());
        Assert.IsNull(asked.GetService<ImageEncoder>());
        Assert.IsNull(asked.GetService(typeof(ImageEmbeddingGenerator), "key"));
        Assert.ThrowsExactly<ArgumentNullException>(() => asked.GetService(null!));
    }

    [TestMethod]
    public async Task Options_that_ask_for_another_models_embeddings_are_an_error()
    {
        using var generator = new ImageEmbeddingGenerator(Encoder, new ImageEmbeddingOptions { ModelId = "photos" });
        DataContent image = Content(AnyImage());
        Assert.HasCount(1, await generator.GenerateAsync([image], new EmbeddingGenerationOptions { Dimensions = TestModels.Width, ModelId = "photos" }));
        await Fails<ArgumentException>(() => generator.GenerateAsync([image], new EmbeddingGenerationOptions { Dimensions = 512 }), "512", $"{TestModels.Width}");
        await Fails<ArgumentException>(() => generator.GenerateAsync([image], new EmbeddingGenerationOptions { ModelId = "other" }), "'other'", "'photos'");
        Assert.Throws<ArgumentException>(() => new ImageEmbeddingGenerator(Encoder, new ImageEmbeddingOptions { BatchSize = 0 }));
        Assert.ThrowsExactly<ArgumentNullException>(() => new ImageEmbeddingGenerator((ImageEncoder)null!));
        Assert.ThrowsExactly<ArgumentNullException>(() => new ImageEmbeddingGenerator((OnnxImageModel)null!));
    }

    [TestMethod]
    public void A_file_that_is_not_there_or_no_encoder_is_an_error_that_says_so()
    {
        Assert.ThrowsExactly<FileNotFoundException>(() => ImageEmbeddingGenerator.Load(At("none.onnx")));
        Assert.ThrowsExactly<FileNotFoundException>(() => ImageEmbeddingGenerator.Load(At("none.safetensors")));
        string classifier = At("classifier.onnx");
        using (var trained = new ImageClassifier(new VisionTransformerClassifier(TestModels.Config, 2), TestModels.Preprocessing, ["a", "b"]))
            trained.ExportOnnx(classifier);
        StringAssert.Contains(Assert.Throws<ArgumentException>(() => ImageEmbeddingGenerator.Load(classifier)).Message, "Classifier: expected Encoder");
    }

    [TestMethod]
    public async Task Services_give_one_generator_under_both_interfaces_and_by_key_and_dispose_it()
    {
        string file = Save(onnx: false);
        var services = new ServiceCollection();
        Assert.AreSame(services, services.AddSmaeEmbeddingGenerator(file));
        services.AddKeyedSmaeEmbeddingGenerator("fast", Save(onnx: true), new ImageEmbeddingOptions { ModelId = "onnx", BatchSize = 8 });
        services.AddKeyedSmaeEmbeddingGenerator("own", provider => new ImageEmbeddingGenerator(Encoder));
        ServiceProvider container = services.BuildServiceProvider(validateScopes: true);
        var generator = container.GetRequiredService<IEmbeddingGenerator<DataContent, Embedding<float>>>();
        var fast = container.GetRequiredKeyedService<IEmbeddingGenerator<DataContent, Embedding<float>>>("fast");
        Assert.AreSame(generator, container.GetRequiredService<IEmbeddingGenerator>());
        Assert.AreSame(fast, container.GetRequiredKeyedService<IEmbeddingGenerator>("fast"));
        Assert.AreSame(Encoder, container.GetRequiredKeyedService<IEmbeddingGenerator>("own").GetService<ImageEncoder>());
        Assert.AreEqual("onnx", fast.GetRequiredService<EmbeddingGeneratorMetadata>().DefaultModelId);
        foreach (var each in new[] { generator, fast })
            AssertClose(Expected(AnyImage()), (await each.GenerateVectorAsync(Content(AnyImage()))).ToArray(), "service");
        await container.DisposeAsync();
        await Assert.ThrowsExactlyAsync<ObjectDisposedException>(() => generator.GenerateAsync([Content(AnyImage())]));

        Assert.Throws<ArgumentException>(() => services.AddSmaeEmbeddingGenerator(" "));
        using ServiceProvider missing = new ServiceCollection().AddSmaeEmbeddingGenerator(At("none.onnx")).BuildServiceProvider();
        Assert.ThrowsExactly<FileNotFoundException>(() => missing.GetRequiredService<IEmbeddingGenerator>());
    }

    [TestMethod]
    public async Task A_vector_store_embeds_images_by_it()
    {
#pragma warning disable MEVD9001 // what stores call for a property of their records
        using var generator = new ImageEmbeddingGenerator(Encoder);
        var dispatcher = EmbeddingGenerationDispatcher.Create<Embedding<float>>();
        var property = new VectorPropertyModel("Image", typeof(DataContent)) { Dimensions = TestModels.Width, EmbeddingGenerator = generator };
        property.EmbeddingGenerationDispatcher = dispatcher;
        property.EmbeddingType = dispatcher.ResolveEmbeddingType(property, generator, null)!;
        IReadOnlyList<Embedding> stored = await property.GenerateEmbeddingsAsync([Content(AnyImage()), Content(AnyImage())], default);
        Assert.HasCount(2, stored);
        foreach (Embedding found in (Embedding[])[.. stored, await property.GenerateEmbeddingAsync(Content(AnyImage()), default)])
            AssertClose(Expected(AnyImage()), ((Embedding<float>)found).Vector.ToArray(), "stored");
#pragma warning restore MEVD9001
    }

    private static DataContent Content(string path) => new(File.ReadAllBytes(path), "image/png");

    private static async Task Fails<TException>(Func<Task> call, params string[] parts) where TException : Exception
    {
        var exception = await Assert.ThrowsExactlyAsync<TException>(call);
        foreach (string part in parts) StringAssert.Contains(exception.Message, part);
    }

    private string Save(bool onnx)
    {
        string file = At(onnx ? "encoder.onnx" : "encoder.safetensors");
        if (onnx) Encoder.ExportOnnx(file);
        else Encoder.Save(file);
        return file;
    }

    /// <summary>A model whose embedding is the first byte of an image, and which computes nothing until it is told to go on.</summary>
    private sealed class HeldModel : IDisposable
    {
        private readonly ManualResetEventSlim _go = new();
        private readonly TaskCompletionSource _started = new();

        public Exception? Failure { get; set; }

        /// <summary>Images of each batch.</summary>
        public List<int> Batches { get; } = [];

        public DataContent Image => Grey(0);

        public ImageEmbeddingGenerator Generator(int batchSize = 64) => new(
            this, new ImagePreprocessing { Height = 2, Width = 2, Channels = 1 }, 1, Embed, new ImageEmbeddingOptions { BatchSize = batchSize }, ownsModel: false);

        /// <summary>A call that the model is busy with until <see cref="Go"/>.</summary>
        public Task Hold(ImageEmbeddingGenerator generator, CancellationToken cancellation = default)
        {
            Task call = generator.GenerateAsync([Image], cancellationToken: cancellation);
            _started.Task.Wait(CancellationToken.None);
            return call;
        }

        public void Go() => _go.Set();

        /// <summary>Waits until so many images stand in the queue.</summary>
        public async Task Queued(ImageEmbeddingGenerator generator, int count)
        {
            while (generator.WaitingCount < count) await Task.Delay(1);
        }

        public DataContent Grey(int level)
        {
            byte[] pixels = [.. Enumerable.Range(0, 16).Select(i => (byte)(i % 4 == 3 ? 255 : level))];
            using var image = MLImage.CreateFromPixels(2, 2, MLPixelFormat.Rgba32, pixels);
            using var folder = new TempFolder();
            image.Save(folder.At("grey.png"));
            return new DataContent(File.ReadAllBytes(folder.At("grey.png")), "image/png");
        }

        public void Dispose() => _go.Dispose();

        private void Embed(ReadOnlySpan<byte> images, int count, Span<float> outputs)
        {
            _started.TrySetResult();
            _go.Wait();
            Batches.Add(count);
            if (Failure is not null) throw Failure;
            for (int i = 0; i < count; i++) outputs[i] = images[4 * i];
        }
    }
}
