using ExistingApp;
using Microsoft.ML.Data;

// An ML.NET web service that knows nothing of Smae: it loads two saved models and scores the images that people send.
//   ExistingApp --classifier classifier.zip --encoder encoder.zip --gallery DIR [--urls http://localhost:5000]
// Its page lies beside the program, wherever it is started from.
var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });
builder.WebHost.ConfigureKestrel(kestrel => kestrel.Limits.MaxRequestBodySize = ImageUpload.MaxBytes + 64 * 1024);   // and what multipart adds
builder.Services.AddProblemDetails();

string Setting(string name) => builder.Configuration[name]
    ?? throw new ArgumentException($"--{name} is missing: ExistingApp --classifier classifier.zip --encoder encoder.zip --gallery DIR");
Classifier classifier;
Gallery gallery;
try
{
    classifier = new Classifier(Setting("classifier"));
    gallery = new Gallery(Setting("encoder"), Setting("gallery"));
}
catch (Exception e) when (e is ArgumentException or IOException or InvalidOperationException or FormatException)
{
    Console.Error.WriteLine($"error: {e.Message}");
    return 1;
}

var app = builder.Build();
app.UseExceptionHandler();
app.UseStatusCodePages();
app.UseDefaultFiles();
app.UseStaticFiles();
app.MapPost("/classify", (HttpRequest request, CancellationToken cancellation) => Score(request, classifier.Classify, cancellation));
app.MapPost("/similar", (HttpRequest request, CancellationToken cancellation) => Score(request, gallery.Similar, cancellation));
app.MapGet("/gallery/{number:int}", (int number) => gallery.File(number) is { } file ? Results.File(file, "application/octet-stream") : Results.NotFound());
app.Logger.LogInformation("{Classes} classes, {Images} images in the gallery", classifier.ClassCount, gallery.Count);
app.Run();
return 0;

static async Task<IResult> Score<T>(HttpRequest request, Func<MLImage, T> score, CancellationToken cancellation)
{
    try
    {
        using MLImage image = await ImageUpload.Read(request, cancellation);
        return Results.Ok(score(image));
    }
    catch (BadImageException e)
    {
        return Results.Problem(e.Message, statusCode: e.StatusCode, title: "The image cannot be scored");
    }
}
