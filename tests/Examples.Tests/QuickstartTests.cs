using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;

namespace Examples.Tests;

/// <summary>The program of <c>examples/Quickstart</c> from images to saved models, and these in applications that know nothing of Smae.</summary>
[TestClass]
public sealed class QuickstartTests
{
    [TestMethod]
    public async Task WhatTheQuickstartSavesIsScoredAlikeWithoutSmaeAndServedByAWebApplication()
    {
        using DrawnFolder folder = new DrawnFolder().Draw("data/train", classes: 3, perClass: 12).Draw("data/val", classes: 3, perClass: 4);
        File.WriteAllText(folder["data", "words.txt"], "class0\tacademic gown, academic robe\nclass1\tgoldfish\nclass2\tcentipede\n");
        (int exit, string output) = BuiltProgram.Run(
            "Quickstart", "--data", folder["data"], "--out", folder["out"], "--epochs", "2", "--fine-tune-epochs", "2", "--image-size", "16",
            "--labels-per-class", "5");
        Assert.AreEqual(0, exit, output);
        JsonNode metrics = JsonNode.Parse(File.ReadAllText(folder["out", "metrics.json"]))!;
        Assert.AreEqual((36L, 15L, 12L, 3),
            ((long)metrics["trainImages"]!, (long)metrics["labelledImages"]!, (long)metrics["validationImages"]!, (int)metrics["classes"]!));
        foreach (string share in (string[])["probeAccuracyPretrained", "probeAccuracyRandom", "fineTuneAccuracy", "scratchAccuracy"])
            Assert.IsTrue((double)metrics[share]! is >= 0 and <= 1, share);
        Assert.IsTrue((double)metrics["onnxMaxAbsDifference"]! is > 0 and < 1e-4, output);
        Assert.IsLessThan(1e-4, (double)metrics["savedModelMaxAbsDifference"]!, output);
        string report = File.ReadAllText(folder["out", "report.html"]);
        foreach (string part in (string[])["Reconstructions", "Nearest neighbours", "Confusion matrix", "<svg", "RankMe, held out", "academic gown"])
            StringAssert.Contains(report, part);
        await Serve(folder);
    }

    private static async Task Serve(DrawnFolder folder)
    {
        string address = $"http://127.0.0.1:{FreePort()}/";
        using Process app = BuiltProgram.Start(
            "ExistingApp", "--classifier", folder["out", "app", "classifier.zip"], "--encoder", folder["out", "app", "encoder.zip"],
            "--gallery", folder["data", "val"], "--urls", address);
        app.OutputDataReceived += (_, _) => { };   // its log must not fill the pipe
        app.BeginOutputReadLine();
        app.BeginErrorReadLine();
        try
        {
            using var client = new HttpClient { BaseAddress = new Uri(address) };
            StringAssert.Contains(await WhenItAnswers(client, app), "Drop an image here");
            byte[] image = File.ReadAllBytes(folder["data", "val", "class1", "0.png"]);
            JsonNode classes = await Ask(client, "classify", image, HttpStatusCode.OK);
            Assert.HasCount(3, classes["likeliest"]!.AsArray());
            CollectionAssert.AreEquivalent(
                (string[])["academic gown", "goldfish", "centipede"], classes["likeliest"]!.AsArray().Select(c => (string?)c!["label"]).ToArray());
            Assert.AreEqual(1, classes["likeliest"]!.AsArray().Sum(c => (double)c!["probability"]!), 1e-5);
            Assert.AreEqual((string?)classes["likeliest"]![0]!["label"], (string?)classes["label"]);
            JsonNode nearest = (await Ask(client, "similar", image, HttpStatusCode.OK))[0]!;
            Assert.AreEqual(Path.Combine("class1", "0.png"), (string?)nearest["name"], "the image itself is in the gallery");
            CollectionAssert.AreEqual(image, await client.GetByteArrayAsync((string?)nearest["url"]));

            StringAssert.Contains((string?)(await Ask(client, "classify", "no picture"u8.ToArray(), HttpStatusCode.BadRequest))["detail"], "no image");
            StringAssert.Contains((string?)(await Ask(client, "similar", [], HttpStatusCode.BadRequest))["detail"], "empty");
            StringAssert.Contains(
                (string?)(await Ask(client, "classify", new byte[(8 << 20) + 1], HttpStatusCode.RequestEntityTooLarge))["detail"], "larger than 8 MB");
        }
        finally
        {
            app.Kill(entireProcessTree: true);
        }
    }

    private static async Task<string> WhenItAnswers(HttpClient client, Process app)
    {
        while (true)
        {
            Assert.IsFalse(app.HasExited, "the application ended");
            try
            {
                return await client.GetStringAsync("");
            }
            catch (HttpRequestException)
            {
                await Task.Delay(100);
            }
        }
    }

    private static async Task<JsonNode> Ask(HttpClient client, string what, byte[] content, HttpStatusCode expected)
    {
        using HttpResponseMessage answer = await client.PostAsync(what, new ByteArrayContent(content));
        string body = await answer.Content.ReadAsStringAsync();
        Assert.AreEqual(expected, answer.StatusCode, body);
        return JsonNode.Parse(body)!;
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
