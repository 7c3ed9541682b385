using Microsoft.Extensions.AI;
using Smae.MLNet;

// Where applications look for what they add to their services.
namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Smae's encoders as services of an application.</summary>
/// <remarks>
/// Each method registers a singleton that is made when it is first asked for and disposed by the container, as
/// <c>IEmbeddingGenerator&lt;DataContent, Embedding&lt;float&gt;&gt;</c> and as the <see cref="IEmbeddingGenerator"/> that vector stores look for. To put
/// caching, logging or telemetry in front of it use <c>services.AddEmbeddingGenerator(_ => ImageEmbeddingGenerator.Load(file))</c> of the package
/// Microsoft.Extensions.AI, which gives a builder.
/// </remarks>
public static class SmaeServiceCollectionExtensions
{
    /// <summary>Adds an encoder as the embedding generator of images.</summary>
    /// <param name="modelFile">Weights that <c>ImageEncoder.Save</c> wrote, or, where the name ends in <c>.onnx</c>, an exported encoder.</param>
    /// <param name="options">Null takes every option's default, on the CPU.</param>
    /// <exception cref="ArgumentException">The file's name is blank. What is wrong with the file itself shows when the generator is first asked for.</exception>
    public static IServiceCollection AddSmaeEmbeddingGenerator(
        this IServiceCollection services, string modelFile, ImageEmbeddingOptions? options = null) =>
        services.AddKeyedSmaeEmbeddingGenerator(null, modelFile, options);

    /// <summary>Adds an embedding generator of images that the application makes.</summary>
    /// <param name="create">Makes it, once.</param>
    public static IServiceCollection AddSmaeEmbeddingGenerator(
        this IServiceCollection services, Func<IServiceProvider, ImageEmbeddingGenerator> create) =>
        services.AddKeyedSmaeEmbeddingGenerator(null, create);

    /// <inheritdoc cref="AddSmaeEmbeddingGenerator(IServiceCollection, string, ImageEmbeddingOptions)"/>
    /// <summary>Adds an encoder as one of several embedding generators of images.</summary>
    /// <param name="serviceKey">The key by which it is asked for; null adds it without one.</param>
    public static IServiceCollection AddKeyedSmaeEmbeddingGenerator(
        this IServiceCollection services, object? serviceKey, string modelFile, ImageEmbeddingOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(modelFile);
        return services.AddKeyedSmaeEmbeddingGenerator(serviceKey, _ => ImageEmbeddingGenerator.Load(modelFile, options));
    }

    /// <summary>Adds one of several embedding generators of images, which the application makes.</summary>
    /// <param name="serviceKey">The key by which it is asked for; null adds it without one.</param>
    /// <param name="create">Makes it, once.</param>
    public static IServiceCollection AddKeyedSmaeEmbeddingGenerator(
        this IServiceCollection services, object? serviceKey, Func<IServiceProvider, ImageEmbeddingGenerator> create)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(create);
        services.AddKeyedSingleton<IEmbeddingGenerator<DataContent, Embedding<float>>>(serviceKey, (provider, _) => create(provider));
        services.AddKeyedSingleton<IEmbeddingGenerator>(
            serviceKey, (provider, key) => provider.GetRequiredKeyedService<IEmbeddingGenerator<DataContent, Embedding<float>>>(key));
        return services;
    }
}
